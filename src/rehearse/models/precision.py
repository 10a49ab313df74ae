"""In which number format a denoiser runs, and trains, on this machine.

``REHEARSE_PRECISION`` (``float32`` or ``bfloat16``) chooses where nobody asked for a format. Limits set for
torch are kept to: under ``DNNL_MAX_CPU_ISA=AVX2 ATEN_CPU_CAPABILITY=avx2`` a CPU counts as one without bf16.
"""

from __future__ import annotations

import contextlib
import logging
import os
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal, cast, get_args

import torch
from torch import nn

from rehearse.models.errors import ModelError

_LOG = logging.getLogger(__name__)

PrecisionName = Literal["float32", "bfloat16"]


@dataclass(frozen=True, slots=True)
class Precision:
    """Where and in what format: ``device`` for torch, ``dtype`` of matrix products and convolutions.

    why: what decided it, for people.
    """

    device: torch.device
    dtype: torch.dtype
    why: str = field(default="", compare=False)

    def __str__(self) -> str:
        told = f"{self.device} in {str(self.dtype).removeprefix('torch.')}"
        return f"{told}: {self.why}" if self.why else told

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


def cpu_matrix_format() -> str:
    """The CPU's bf16 instructions that torch may use: ``amx_bf16``, ``avx512_bf16`` or an empty string."""
    return "" if _kept_below_bf16() else _cpu_bf16_unit()


def _kept_below_bf16() -> bool:
    """Whether the environment keeps torch's kernels, or those of oneDNN below it, off bf16 instructions."""
    aten = os.environ.get("ATEN_CPU_CAPABILITY", "avx512").lower()
    onednn = os.environ.get("ONEDNN_MAX_CPU_ISA") or os.environ.get("DNNL_MAX_CPU_ISA") or "DEFAULT"
    # oneDNN's names of what has bf16; AVX512_CORE and AVX512_CORE_VNNI, say, have not.
    with_bf16 = ("BF16", "FP16", "AMX", "AVX10", "DEFAULT", "ALL")
    return not aten.startswith("avx512") or not any(name in onednn.upper() for name in with_bf16)


@lru_cache(maxsize=1)
def _cpu_bf16_unit() -> str:
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


def choose_precision(
    device: str = "auto", precision: PrecisionName | None = None, use: str = "denoising"
) -> Precision:
    """Device and format for a denoiser, with one log line that says which and why.

    device: "auto" (CUDA where there is one, else CPU) or a torch device name.
    precision: forces the format; None takes ``REHEARSE_PRECISION``, and where that is not set bf16 where the
    hardware multiplies in it, else float32. use: what the log line says is done with it.
    Raises ModelError for a ``REHEARSE_PRECISION`` that is no format.
    """
    where = torch.device(("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device)
    said = os.environ.get("REHEARSE_PRECISION", "")
    if precision is not None:
        dtype, why = getattr(torch, precision), "asked for"
    elif said:
        dtype, why = getattr(torch, _format_named(said)), "REHEARSE_PRECISION says so"
    elif where.type == "cpu":
        unit = cpu_matrix_format()
        dtype = torch.bfloat16 if unit else torch.float32
        none = "torch is kept off the CPU's bf16" if _kept_below_bf16() else "the CPU has no bf16 units"
        why = f"the CPU has {unit}" if unit else none
    elif where.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        dtype, why = torch.bfloat16, "the GPU multiplies in bf16"
    else:
        dtype, why = torch.float32, f"no bf16 on {where.type}"
    chosen = Precision(device=where, dtype=dtype, why=why)
    _LOG.info("%s on %s", use, chosen)
    return chosen


def _format_named(said: str) -> PrecisionName:
    if said not in get_args(PrecisionName):
        known = " or ".join(get_args(PrecisionName))
        raise ModelError(f"REHEARSE_PRECISION is {said!r} in the environment; set it to {known}, or unset it")
    return cast("PrecisionName", said)
