"""What a take is computed with beside its model: that much must be equal for equal bits.

Sums are taken in another order by another number of threads, another device or another version of torch, and
other formats round otherwise. Only where these are the same is a run that stops and goes on the one that
never stopped, bit for bit; elsewhere its last digits differ, and what they grow to over the steps left.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import torch

_LOG = logging.getLogger(__name__)

_SAID = {"threads": "threads", "device": "device", "format": "number format", "torch": "version of torch"}


def surroundings(model: object) -> dict[str, str]:
    """Of this process: ``threads``, ``torch`` (its version), and where the model says so ``device`` ("cpu",
    "cuda") and ``format`` ("float32", "bfloat16")."""
    found = {"torch": torch.__version__, "threads": str(torch.get_num_threads())}
    precision = getattr(model, "precision", None)
    if precision is not None:
        found["device"] = precision.device.type
        found["format"] = str(precision.dtype).removeprefix("torch.")
    return found


def changed_surroundings(before: Mapping[str, str], now: Mapping[str, str]) -> str | None:
    """One sentence on what differs; None where nothing does. What either does not know is passed over."""
    # Where another device computes, its threads say nothing of the bits.
    only_on_cpu = "device" in before and before.get("device") == now.get("device") != "cpu"
    apart = [
        name
        for name in _SAID
        if name in before and name in now and before[name] != now[name]
        if not (name == "threads" and only_on_cpu)
    ]
    if not apart:
        return None
    was = ", ".join(f"{_SAID[name]} {before[name]}" for name in apart)
    goes = ", ".join(f"{_SAID[name]} {now[name]}" for name in apart)
    remedy = ""
    if apart == ["threads"]:
        remedy = f"; for the same bits set OMP_NUM_THREADS={before['threads']}"
    return (
        f"this take was computed with {was}, and goes on with {goes}: the last digits can differ from those "
        f"of a run that never stopped{remedy}"
    )


def say_what_changed(before: Mapping[str, str], model: object) -> str | None:
    """Log a warning where a state made in other surroundings goes on here; the sentence, or None."""
    sentence = changed_surroundings(before, surroundings(model))
    if sentence is not None:
        _LOG.warning("%s", sentence)
    return sentence
