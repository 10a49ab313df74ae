"""``rehearse takes ...``: what the studio keeps, from the command line."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from rehearse.cli.studio import PROJECTS

if TYPE_CHECKING:
    from rehearse.takes.store.store import Store

app = typer.Typer(help="Look after the studio's projects and takes.", no_args_is_help=True)

_PROJECTS = typer.Option(PROJECTS, "--projects", "-p", metavar="DIR", help="Where projects are kept.")


@app.command("list")
def listing(projects: Path = _PROJECTS) -> None:
    """List projects and their takes."""
    from rich.console import Console
    from rich.table import Table

    from rehearse.takes.store.projects import list_projects
    from rehearse.takes.store.tree import list_takes

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("project", "take", "state", "steps", "seed", "prompt"):
        table.add_column(heading, no_wrap=heading != "prompt")
    store = _open(projects)
    with store.read() as session:
        for project in list_projects(session):
            table.add_row(project["name"], "", "", "", "", project["id"])
            for take in list_takes(session, project["id"]):
                steps = f"{take['step']}/{take['steps'] or '?'}"
                name = take["name"] + (" *" if take["pinned"] else "")
                table.add_row("", name, take["status"], steps, str(take["seed"]), take["prompt"])
    Console().print(table)


@app.command("prune")
def prune(
    projects: Path = _PROJECTS,
    project: str | None = typer.Option(
        None, "--project", metavar="NAME", help="Only this one, by name or id."
    ),
    every: int = typer.Option(
        5, "--every", min=1, help="Keep every n-th checkpoint, the first and the last of each take."
    ),
    delete: bool = typer.Option(False, "--delete", help="Do it; without this it is only told."),
) -> None:
    """Free room on the disk: drop checkpoints, and files that nothing needs.

    Takes, clips, previews and shots stay; a step without its checkpoint can be looked at but not branched.
    Pinned takes, marked * in the list, keep everything.
    """
    from rehearse.takes.store.keeping import prune as run

    store = _open(projects)
    chosen = None if project is None else _find(store, project)
    freed = run(store, project=chosen, every=every, dry_run=not delete)
    verb = "freed" if delete else "would free"
    typer.echo(
        f"{verb} {freed.bytes / 2**20:.1f} MiB: {freed.checkpoints} checkpoints dropped, "
        f"{freed.files} files deleted" + ("" if delete else "; do it with --delete")
    )


@app.command("export")
def export(
    project: str = typer.Argument(..., metavar="PROJECT", help="Its name or id."),
    output: Path = typer.Option(..., "--output", "-o", metavar="FILE", help="Such as film.rehearse."),
    projects: Path = _PROJECTS,
    force: bool = typer.Option(False, "--force", "-f", help="Replace an existing file."),
) -> None:
    """Write a project, with its takes and pictures, to one file."""
    from rehearse.media import check_writable, replacing
    from rehearse.takes.store.exchange import export_project

    check_writable(output, overwrite=force)
    store = _open(projects)
    chosen = _find(store, project)
    with replacing(output) as part:
        export_project(store, chosen, part)
    typer.echo(str(output))


@app.command("import")
def bring(
    file: Path = typer.Argument(..., metavar="FILE", exists=True, dir_okay=False, help="What export wrote."),
    projects: Path = _PROJECTS,
) -> None:
    """Take in a project from a file; all of it is checked first."""
    from rehearse.takes.store.exchange import import_project
    from rehearse.takes.store.projects import get_project
    from rehearse.takes.store.store import Store

    store = Store(projects)
    # Not named as the studio's own uploads, which a studio that starts meanwhile sweeps away.
    place = Path(tempfile.mkdtemp(prefix=".import-", dir=store.folder))
    try:
        project = import_project(store, file, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    with store.read() as session:
        found = get_project(session, project)
    typer.echo(f"{found['name']}: {found['shots']} shots, {found['takes']} takes")


def _open(projects: Path) -> Store:
    """The store of a folder; BadWord where there is none yet."""
    from rehearse.cli.failures import BadWord
    from rehearse.home import at_home
    from rehearse.takes.store.store import DATABASE, Store

    if not (at_home(projects) / DATABASE).is_file():
        raise BadWord(f"there are no projects in {projects}; name their folder with --projects")
    return Store(projects)


def _find(store: Store, name: str) -> str:
    from rehearse.cli.failures import BadWord
    from rehearse.takes.store.projects import list_projects

    with store.read() as session:
        known = list_projects(session)
    found = [project["id"] for project in known if name in (project["id"], project["name"])]
    if len(found) == 1:
        return str(found[0])
    names = ", ".join(repr(project["name"]) for project in known) or "none"
    if found:
        raise BadWord(f"{len(found)} projects are called {name!r}; give the id instead: {', '.join(found)}")
    raise BadWord(f"there is no project {name!r}; there are: {names}")
