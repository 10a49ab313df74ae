"""Work on a model: what is seen of it, and a take in its folder, run to its end or to a pause."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from rehearse.cli.failures import Paused

if TYPE_CHECKING:
    from rich.console import Console

    from rehearse.cli.progress import Pace, Watcher
    from rehearse.takes import Take
    from rehearse.takes.folder import TakeFolder


@contextmanager
def at_work(console: Console, model: str, threads: int | None, quiet: bool) -> Iterator[Watcher]:
    """Around work on a model: its notes and progress on the console. threads: torch's own where None."""
    from rehearse.cli.notes import notes_to
    from rehearse.cli.progress import watcher

    with notes_to(console, quiet), watcher(console, model, quiet) as watching:
        # Here, not above: the screen is up while torch is being imported.
        import torch

        if threads is not None:
            torch.set_num_threads(threads)
        yield watching


def run_in_folder(
    console: Console,
    folder: TakeFolder,
    make: Callable[[], Take],
    *,
    model: str,
    until: int | None = None,
    threads: int | None = None,
    quiet: bool = False,
) -> tuple[Take, Pace]:
    """Make the take and run it to step ``until`` (None: the end), every state on the disk as it comes.

    Raises Paused where Ctrl-C or ``rehearse take pause`` stopped it on the way.
    """
    with folder.running():
        try:
            with at_work(console, model, threads, quiet) as watching:
                from rehearse.sampling.loop import Cancelled

                take = make()
                with suppress(Cancelled):
                    for event in take.play(until):
                        watching.step(event)
        except KeyboardInterrupt as error:
            if not (folder.path / "take.json").exists():
                raise
            raise Paused(_stands(folder)) from error
    if take.step < (take.steps if until is None else until):
        raise Paused(_stands(folder))
    return take, watching.pace


def _stands(folder: TakeFolder) -> str:
    where = f"paused at step {folder.step} of {folder.card.steps}"
    return f"{where}; {go_on(folder.path)}"


def go_on(folder: Path) -> str:
    """How a paused take is gone on with."""
    return f"go on with: rehearse take resume {shlex.quote(str(folder))}"
