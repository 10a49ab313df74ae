"""How much a picture moves."""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.shot import ImageInstruction, MotionInstruction, Shot
from rehearse.shot.instructions.motion import AMOUNT


@dataclass(frozen=True, slots=True)
class Motion:
    """The motion of a clip that starts from a picture.

    amount: in [0, 1]. loop: whether the last frame leads back to the first. restyle: whether the picture's
    style may go. time: in [0, 1], when the clip shows the picture.
    """

    amount: float = AMOUNT
    loop: bool = False
    restyle: bool = False
    time: float = 0.0


def motion_instruction_of(shot: Shot) -> MotionInstruction | None:
    """The shot's motion instruction, of which it has at most one."""
    return next((one for one in shot.instructions if isinstance(one, MotionInstruction)), None)


def motion_of(shot: Shot) -> Motion:
    """The motion a shot asks for."""
    said = motion_instruction_of(shot) or MotionInstruction()
    shown = next((one for one in shot.instructions if isinstance(one, ImageInstruction)), None)
    return Motion(
        amount=AMOUNT if said.amount is None else said.amount,
        loop=said.loop,
        restyle=said.restyle,
        time=0.0 if shown is None else shown.time,
    )


def moves_nothing(shot: Shot) -> list[str]:
    """Sentences on what the motion says and drags do not heed: under them, each frame is its picture."""
    motion = motion_instruction_of(shot) or MotionInstruction()
    # Where the style may go, the text says to which.
    said = {"magnitude": motion.amount, "text": None if motion.restyle else motion.text}
    idle = [name for name, value in said.items() if value is not None]
    if not idle:
        return []
    moves = "move" if len(idle) > 1 else "moves"
    return [
        f"the motion's {' and '.join(idle)} {moves} nothing here: the clip stands still but for what is "
        "dragged; name a subject with a path, or mix in the undragged clip with control.blend"
    ]


def is_not_seen(frames: int, *, loop: bool) -> list[str]:
    """Sentences on a drag in a clip too short for its way."""
    if frames >= (3 if loop else 2):
        return []
    looped = " that loops" if loop else ""
    return [
        f"what is dragged cannot be seen: a clip of {frames} frame{'s' if frames > 1 else ''}{looped} shows "
        "only where it begins; ask for more frames"
    ]
