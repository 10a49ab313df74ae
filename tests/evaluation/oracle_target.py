"""Models and a trainer of the target evaluation whose contact rates are known: clips are rendered as told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np

from rehearse.evaluation.target.arms import parse_arm
from rehearse.evaluation.target.cases import target_cases, truth
from rehearse.evaluation.target.measure import Looks, TargetTools
from rehearse.evaluation.target.protocol import TargetProtocol
from rehearse.evaluation.target.study import TargetWork
from rehearse.evaluation.target.training import Training
from rehearse.shot import Shot, TargetInstruction
from rehearse.theatre.world.target_render import render_target

BASE = "oracle-base"


@dataclass(frozen=True)
class Skill:
    """touches: share of the clips in which some prop is touched; obeys: share of these in which it is the
    marked one; the others go to a prop by chance."""

    touches: float = 1.0
    obeys: float = 0.0


@lru_cache(maxsize=512)
def acted(place: int, prop: int, touches: bool) -> np.ndarray:
    scene = truth(place).scene.choose(prop)
    return render_target(scene).frames if touches else np.repeat(truth(place).frames[:1], 8, axis=0)


@dataclass
class Oracle:
    """skills: by arm name, as a function of the steps it was trained for where these matter. Counts what it
    is asked to do, and stops where it is told to."""

    protocol: TargetProtocol
    skills: Mapping[str, Skill | Callable[[int], Skill]]
    clips: int = 0
    steps: list[tuple[str, int, int]] = field(default_factory=list)
    stop_after: int | None = None

    def __post_init__(self) -> None:
        cases = target_cases(self.protocol.cases, self.protocol.seed)
        self._cases = {case.seed: case for case in cases}

    def work(self, say: Callable[[str], None] = lambda line: None) -> TargetWork:
        return TargetWork(lambda: TargetTools(self.engine, self.look), lambda: self.train, self.mark, say=say)

    def mark(self, model: str) -> str:
        return model if model == BASE else (Path(model) / "weights").read_text()

    def train(self, training: Training, steps: int) -> float:
        training.out.mkdir(parents=True, exist_ok=True)
        (training.out / "weights").write_text(f"{training.arm.name} {training.seed} {steps}")
        self.steps.append((training.arm.name, training.seed, steps))
        return 0.5

    def engine(self, model: str, shot: Shot) -> np.ndarray:
        if self.stop_after is not None and self.clips >= self.stop_after:
            raise KeyboardInterrupt
        self.clips += 1
        case = self._cases[shot.seed]
        strength = shot.control.target_attention
        arm = f"modulation:{strength:g}" if strength else self.mark(model).split()[0].replace(BASE, "base")
        skill = self.skills.get(arm, Skill())
        if callable(skill):
            skill = skill(int(self.mark(model).split()[2]))
        rng = np.random.default_rng([len(self.mark(model)), sum(map(ord, self.mark(model))), shot.seed])
        touches, obeys, prop = rng.random() < skill.touches, rng.random() < skill.obeys, rng.integers(3)
        marks = [one for one in shot.instructions if isinstance(one, TargetInstruction)]
        assert bool(marks) == parse_arm(arm).marked
        if marks and obeys:
            mask = marks[0].mask.raster(*case.frame.shape[:2]) > 0.5
            prop = next(k for k, pixels in enumerate(case.props) if (mask == pixels).all())
        return acted(case.place, int(prop), bool(touches))

    def look(self, model: str, place: int) -> Looks:
        arm = self.mark(model).split()[0]
        skill = self.skills.get(arm, Skill())
        obeys = 0.5 if callable(skill) else skill.obeys
        return Looks((0.1 + obeys, 0.1), (0.1, 0.1))
