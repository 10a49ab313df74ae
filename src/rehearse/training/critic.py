"""An adversary that tells renders from decoded pictures, patch by patch: what makes paper edges crisp."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PatchCritic(nn.Module):
    """Pictures [N, 3, H, W] to a score for each patch of about 40 pixels: high for renders."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2)]
        for times in (1, 2):
            layers += [
                nn.Conv2d(width * times, 2 * width * times, 4, 2, 1),
                nn.GroupNorm(8, 2 * width * times),
                nn.LeakyReLU(0.2),
            ]
        self.layers = nn.Sequential(*layers, nn.Conv2d(4 * width, 1, 3, 1, 1))

    def forward(self, pictures: Tensor) -> Tensor:
        """The scores [N, 1, H / 8, W / 8]."""
        scores: Tensor = self.layers(pictures)
        return scores


def adversarial(critic: PatchCritic, real: Tensor, made: Tensor) -> tuple[Tensor, Tensor]:
    """The hinge losses of the critic and of the maker: the first changes the critic alone, the second the
    maker alone, so that both may be added up and go through one optimiser."""
    told = F.relu(1 - critic(real)).mean() + F.relu(1 + critic(made.detach())).mean()
    fixed = {name: parameter.detach() for name, parameter in critic.named_parameters()}
    return told, -torch.func.functional_call(critic, fixed, (made,)).mean()
