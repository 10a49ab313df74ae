"""The second helper task of a video denoiser: say when it is, and how far each puppet has come.

"Moves right" is a place only together with a time, and neither word nor time alone lowers the error of
denoising: 14,000 clips without this head left directions unheard. Asked for both, and for their product, the
way a puppet has come, the denoiser finds them. Like the part head it does not ship.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from rehearse.theatre.parts import NOTHING
from rehearse.theatre.world.vocabulary import PUPPETS

Origin = Literal["mean", "first"]
WAY = 4.0
"""Ways, in fractions of the frame from the puppet's mean place, are learned times this."""


class WayHead(nn.Module):
    """Time and way of latent cells, read from a UNet3DConditionModel as it runs in training mode.

    The features are those that the part head reads: the output of the last up block but one. origin: whether
    the way is measured from a puppet's mean place in the clip, or from where it is in the first frame.
    """

    def __init__(self, unet: Any, origin: Origin = "mean") -> None:
        super().__init__()
        self.origin = origin
        self.head = nn.Conv2d(unet.config.block_out_channels[1], 3, 1)
        self._features: Tensor | None = None
        unet.up_blocks[-2].register_forward_hook(self._catch)

    def _catch(self, _block: nn.Module, _inputs: Any, output: Tensor) -> None:
        self._features = output if self.training else None

    def loss(self, parts: Tensor) -> Tensor:
        """Error on the UNet's last call; parts: int8 ``[n, F, h, w, 5]``, see :mod:`rehearse.theatre.parts`.

        Time is asked of every cell, the way of those that a puppet owns.
        """
        assert self._features is not None, "the denoiser has not run in training mode"
        clips, frames, high, wide, _ = parts.shape
        said = self.head(self._features).float().view(clips, frames, 3, high, wide)
        self._features = None
        return way_error(said, parts, self.origin)


def way_error(said: Tensor, parts: Tensor, origin: Origin = "mean") -> Tensor:
    """Error of what a head says of latent cells, ``[n, F, 3, h, w]``: the way in x and y, and the time.

    parts: int8 ``[n, F, h, w, 5]``. Time is asked of every cell, the way of those that a puppet owns.
    """
    clips, frames, _, high, wide = said.shape
    times = torch.linspace(-1, 1, frames, device=said.device).view(1, frames, 1, 1)
    late = F.smooth_l1_loss(said[:, :, 2], times.expand(clips, -1, high, wide), beta=0.1)
    owned = (parts[..., 0] != NOTHING).float()
    away = F.smooth_l1_loss(said[:, :, :2], WAY * ways(parts, origin), reduction="none", beta=0.1).sum(2)
    return late + (away * owned).sum() / owned.sum().clamp(min=1)


def ways(parts: Tensor, origin: Origin = "mean") -> Tensor:
    """How far the puppet that owns a cell is from its mean place in the clip, ``[n, F, 2, h, w]``: x and y in
    fractions of the frame, 0 where nothing owns the cell.

    parts: ``[n, F, h, w, 3 or 5]``. A puppet's place is the mean of its cells; frames without it count not.
    origin: "first" measures from its place in the first frame instead, where that shows it.
    """
    high, wide = parts.shape[2:4]
    kinds = parts[..., 0].long()
    of = F.one_hot(kinds, len(PUPPETS) + 1).float()  # [n, F, h, w, kinds]
    of[..., NOTHING] = 0
    cells = of.sum((2, 3))  # [n, F, kinds]
    x = (torch.arange(wide, device=parts.device) + 0.5) / wide
    y = (torch.arange(high, device=parts.device) + 0.5) / high
    sums = torch.stack([torch.einsum("nfhwk,w->nfk", of, x), torch.einsum("nfhwk,h->nfk", of, y)], -1)
    places = sums / cells.clamp(min=1).unsqueeze(-1)  # [n, F, kinds, 2]
    there = (cells > 0).float().unsqueeze(-1)
    mean = (places * there).sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp(min=1)
    if origin == "first":
        mean = torch.where(there[:, :1] > 0, places[:, :1], mean)
    return torch.einsum("nfhwk,nfkd->nfdhw", of, (places - mean) * there)
