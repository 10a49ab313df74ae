"""Plans that were made when a shot was looked at, kept for the run that follows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock

from rehearse.models.model import VideoModel
from rehearse.sampling.plan import Plan
from rehearse.shot import Shot

_MOST = 2


@dataclass(frozen=True, slots=True)
class Planned:
    """A plan, and what was warned of as it was made."""

    plan: Plan
    heard: list[str]


class Plans:
    """The latest few plans, by shot and model, so that what is drawn is computed once. For any thread."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, str], Planned] = OrderedDict()
        self._lock = Lock()

    def put(self, shot: Shot, model: VideoModel, plan: Plan, heard: Sequence[str]) -> None:
        """Keep a plan of a shot alone, in place of the oldest where there are too many."""
        with self._lock:
            self._kept[_key(shot, model)] = Planned(plan, list(heard))
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def take(self, shot: Shot, model: VideoModel) -> Planned | None:
        """The plan of a shot, once; None where there is none."""
        with self._lock:
            return self._kept.pop(_key(shot, model), None)


def _key(shot: Shot, model: VideoModel) -> tuple[str, str]:
    return shot.digest(), model.fingerprint
