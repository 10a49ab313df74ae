"""Which instructions cannot stand beside each other in one shot."""

from __future__ import annotations

from rehearse.shot.instructions.content import ContentInstruction
from rehearse.shot.instructions.image import ImageInstruction
from rehearse.shot.instructions.motion import MotionInstruction
from rehearse.shot.instructions.target import TargetInstruction
from rehearse.shot.instructions.trajectory import BoxTrajectory, DragTrajectory, PointTrajectory
from rehearse.shot.phrases import find_phrase

AnyInstruction = (
    ImageInstruction
    | ContentInstruction
    | MotionInstruction
    | BoxTrajectory
    | PointTrajectory
    | DragTrajectory
    | TargetInstruction
)


def span(instruction: AnyInstruction, prompt: str) -> tuple[int, int] | None:
    """Where in the prompt the instruction's phrase stands; None if it names none. Raises ShotError if it is
    not there.
    """
    if (
        isinstance(instruction, BoxTrajectory | PointTrajectory | TargetInstruction)
        and instruction.phrase is not None
    ):
        return find_phrase(prompt, instruction.phrase, instruction.occurrence)
    return None


def same_place(a: AnyInstruction, b: AnyInstruction, prompt: str) -> bool:
    """Whether two instructions decide the same thing, so that the later one replaces the earlier."""
    match a, b:
        case ImageInstruction(), ImageInstruction():
            return a.time == b.time
        case MotionInstruction(), MotionInstruction():
            return True
        case TargetInstruction(), TargetInstruction():
            return a.role == b.role
        case DragTrajectory(), DragTrajectory():
            return bool({move.handle for move in a.moves} & {move.handle for move in b.moves})
        case ((BoxTrajectory() | PointTrajectory()), (BoxTrajectory() | PointTrajectory())):
            return _same_subject(a, b, prompt)
        case _:
            return False


def _same_subject(
    a: BoxTrajectory | PointTrajectory, b: BoxTrajectory | PointTrajectory, prompt: str
) -> bool:
    here, there = span(a, prompt), span(b, prompt)
    if here is None or there is None:
        return here is there and _start(a) == _start(b)
    # "ball" and "red ball" of one mention are one subject.
    return here[0] < there[1] and there[0] < here[1]


def _start(trajectory: BoxTrajectory | PointTrajectory) -> object:
    if isinstance(trajectory, BoxTrajectory):
        return trajectory.path.keyframes[0].box
    return trajectory.path.keyframes[0].point


def same_region(a: AnyInstruction, b: AnyInstruction) -> bool:
    """Whether two drags pull one region."""
    return (
        isinstance(a, DragTrajectory)
        and isinstance(b, DragTrajectory)
        and a.region is not None
        and a.region == b.region
    )
