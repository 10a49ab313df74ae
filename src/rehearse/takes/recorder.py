"""The seam between a take and what makes it last: a folder, a database, nothing.

A take tells its recorder what it goes through, in this order: ``on_start`` once, ``on_state`` for every
state it reaches, ``on_finish`` after the last. Whoever brings a take back (``Take.restore``) gives the
recorder along; ``on_start`` is not called again then.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from rehearse.sampling.state import State
    from rehearse.takes.take import Take


class Recorder(Protocol):
    """Writes a take down and gives its states back.

    What a method raises, the take raises: a state that could not be written is not passed over. A recorder
    that wants the take to stop calls ``take.cancel()``; it then stops before its next step.
    """

    def on_start(self, take: Take) -> None:
        """The take exists and nothing of it has run.

        Its id, shot, model, plan, parent_id, branch_step and original are final. ``take.state`` is None for a
        take from the start, whose first state (step 0) follows through ``on_state``; for a fork it is the
        state it branches off with, which is to be written here. When this returns, the take can be restored.
        """
        ...

    def on_state(self, take: Take, state: State) -> None:
        """The take has reached ``state``; called from the thread that runs it, before the step's event.

        When this returns, the take can be restored at this state. Where it raises, the take stays where it
        stood before and takes the step again when it plays on.
        """
        ...

    def on_finish(self, take: Take) -> None:
        """All steps are done; ``take.clip`` may be asked for. May be called again for a restored take."""
        ...

    def steps(self) -> tuple[int, ...]:
        """The steps whose states are kept, in ascending order."""
        ...

    def state(self, step: int) -> State:
        """A kept state, bit for bit; KeyError for a step that is not kept."""
        ...
