"""In which number format a denoiser runs on this machine."""

from __future__ import annotations

import contextlib
import logging
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import torch
from torch import nn

_LOG = logging.getLogger(__name__)

PrecisionName = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Precision:
    """Where and in what format: ``device`` for torch, ``dtype`` of matrix products and convolutions."""

    device: torch.device
    dtype: torch.dtype

    def prepare(self, module: nn.Module) -> None:
        """Move a module there, and convert once what autocast would otherwise convert at every call.

        Weights of linear and convolution layers only: norms stay in float32, as under autocast.
        """
        module.to(self.device)
        if self.dtype is torch.float32:
            return
        for layer in module.modules():
            if isinstance(layer, nn.Linear | nn.Conv1d | nn.Conv2d | nn.Conv3d):
                for parameter in layer.parameters(recurse=False):
                    parameter.data = parameter.data.to(self.dtype)

    def scope(self) -> contextlib.AbstractContextManager[object]:
        """The context a forward pass runs in."""
        if self.dtype is torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=self.dtype)


@lru_cache(maxsize=1)
def cpu_matrix_format() -> str:
    """The CPU's bf16 instructions: ``amx_bf16``, ``avx512_bf16`` or an empty string."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # not Linux: no bf16 units that we know how to find
        return ""
    flags: set[str] = set()
    for line in text.splitlines():
        if line.startswith(("flags", "Features")):
            flags = set(line.partition(":")[2].split())
            break
    return next((flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags), "")


def choose_precision(device: str = "auto", precision: PrecisionName | None = None) -> Precision:
    """Device and format for a denoiser, with one log line that says which and why.

    device: "auto" (CUDA where there is one, else CPU) or a torch device name.
    precision: forces the format; None chooses bf16 where the hardware multiplies in it, else float32.
    """
    where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    if precision is not None:
        dtype, why = getattr(torch, precision), "asked for"
    elif where.type == "cpu":
        unit = cpu_matrix_format()
        dtype = torch.bfloat16 if unit else torch.float32
        why = f"the CPU has {unit}" if unit else "the CPU has neither avx512_bf16 nor amx_bf16"
    elif where.type == "cuda" and torch.cuda.is_bf16_supported():
        dtype, why = torch.bfloat16, "the GPU multiplies in bf16"
    else:
        dtype, why = torch.float32, f"no bf16 on {where.type}"
    _LOG.info("denoising on %s in %s: %s", where, str(dtype).removeprefix("torch."), why)
    return Precision(device=where, dtype=dtype)
