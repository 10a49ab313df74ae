"""The folder of finished clips, which one evaluation at a time works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from rehearse.cli.failures import BadWord


@contextmanager
def alone_in(work: Path) -> Iterator[None]:
    """Around the work of an evaluation, whose folder is made: a second one would make the same clips again,
    beside the first.

    Raises BadWord where another works in it, or it cannot be written to. It ends with its process, also where
    that is killed.
    """
    new = [folder for folder in (work, *work.parents) if not folder.exists()]
    try:
        work.mkdir(parents=True, exist_ok=True)
        lock = FileLock(work / "lock", timeout=0)
        lock.acquire()
    except Timeout as error:
        raise BadWord(
            f"--work is {work}: another evaluation works in it now; wait for it, or name another folder"
        ) from error
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise BadWord(f"--work is {work}: it cannot be written to ({why}); name another folder") from error
    except NotImplementedError:  # a file system that knows no locks
        yield
        return
    try:
        yield
    finally:
        (work / "lock").unlink(missing_ok=True)
        lock.release()
        with suppress(OSError):  # what was asked for in vain leaves nothing; anything written stays
            for folder in new:
                folder.rmdir()
