"""Takes: one run of one shot by one model; rewound, branched, paused, carried to another process."""

from rehearse.takes.clip import Clip
from rehearse.takes.take import StepEvent, Take, TakeError

__all__ = ["Clip", "StepEvent", "Take", "TakeError"]
