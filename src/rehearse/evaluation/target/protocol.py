"""What the target evaluation compares, and at what size."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearse.evaluation.kit.errors import EvaluationError
from rehearse.evaluation.kit.intervals import REPLICATES
from rehearse.evaluation.target.arms import BASE, STANDARD, TargetArm, parse_arm
from rehearse.evaluation.target.training import TrainingSettings

SWAPPED = ("target", "target:0", "modulation")


@dataclass(frozen=True)
class TargetProtocol:
    """What is compared. model: the base. cases: in each arm; of the first swaps and looks of them every
    prop's mask is tried, and attention is read. arms, swapped: as `target_arms.parse_arm` reads them; the
    base is added. seeds: trainings of each trained arm. stages: steps of training after which trained arms
    are measured too, besides the last. seed: of cases and noise. steps: denoising steps (None: the model's
    default). force: go on where the gate fails."""

    model: str = "theatre-target"
    cases: int = 300
    arms: tuple[str, ...] = STANDARD
    swapped: tuple[str, ...] = SWAPPED
    swaps: int = 100
    looks: int = 32
    seeds: int = 3
    stages: tuple[int, ...] = ()
    seed: int = 0
    steps: int | None = None
    training: TrainingSettings = field(default_factory=TrainingSettings)
    replicates: int = REPLICATES
    force: bool = False

    def __post_init__(self) -> None:
        if self.cases < 1:
            raise EvaluationError(f"cases: {self.cases} is below 1; ask for 300")
        if self.seeds < 1:
            raise EvaluationError(f"training seeds: {self.seeds} is below 1; ask for 3")
        object.__setattr__(self, "stages", tuple(sorted(set(self.stages))))
        last = self.training.steps
        for stage in self.stages:
            if not 1 <= stage < last:
                raise EvaluationError(
                    f"steps to measure at: {stage} is not on the way to {last} training steps; give 1 to "
                    f"{last - 1}"
                )

    def parsed_arms(self) -> tuple[TargetArm, ...]:
        """The arms, the base first, each once. EvaluationError."""
        return tuple(dict.fromkeys([BASE, *(parse_arm(text) for text in self.arms)]))

    def swapped_arms(self) -> tuple[TargetArm, ...]:
        """Of the arms those whose masks are swapped. EvaluationError."""
        wanted = [parse_arm(text) for text in self.swapped]
        plain = next((arm for arm in wanted if not arm.marked), None)
        if plain is not None:
            raise EvaluationError(f"arm {plain.name!r} takes no mask that could be swapped; leave it out")
        return tuple(arm for arm in self.parsed_arms() if arm in wanted)
