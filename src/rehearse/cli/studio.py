"""``rehearse studio``: the desk in the browser."""

from __future__ import annotations

import secrets
from enum import StrEnum
from pathlib import Path

import typer

from rehearse.cli.words import epilog

EPILOG = epilog("""
[bold]Examples[/bold]

rehearse studio   [dim]open the desk; projects are kept in the folder Rehearse in your home[/dim]

rehearse studio --projects ./film --port 8000

rehearse studio --host 0.0.0.0 --token new   [dim]for other machines, behind a token that is made up[/dim]

rehearse studio --allow-host studio.example.org --root-path /rehearse --token new   [dim]behind a proxy[/dim]

rehearse studio --engine ray --device cuda --device cuda   [dim]two GPUs, handed out by Ray[/dim]
""")

PROJECTS = Path("~/Rehearse")


class Engine(StrEnum):
    """What runs the workers."""

    local = "local"
    ray = "ray"


def studio(
    projects: Path = typer.Option(
        PROJECTS, "--projects", "-p", metavar="DIR", help="Where projects are kept; made if it is missing."
    ),
    port: int = typer.Option(7860, "--port", min=0, max=65535, help="0 takes a free one."),
    host: str = typer.Option(
        "127.0.0.1", "--host", help="Where to listen. Beyond this machine a token is needed."
    ),
    allow_host: list[str] = typer.Option(
        [],
        "--allow-host",
        metavar="HOST",
        help="A name that a proxy before the studio is reached by, such as studio.example.org. Repeatable.",
    ),
    root_path: str = typer.Option(
        "",
        "--root-path",
        metavar="PATH",
        help="The path below which a proxy has the studio, such as /rehearse; proxies that take it off need "
        "none.",
    ),
    token: str | None = typer.Option(
        None, "--token", metavar="WORD", help="What browsers must show; new makes one up and prints it."
    ),
    device: list[str] = typer.Option(
        ["auto"], "--device", help="What models run on, such as cuda:0; a worker each. Repeatable."
    ),
    engine: Engine = typer.Option(
        Engine.local, "--engine", help="Workers as processes of this machine, or as actors of Ray."
    ),
    model: list[str] = typer.Option(
        [], "--model", "-m", metavar="MODEL", help="A folder or hub id to offer too. Repeatable."
    ),
    browser: bool = typer.Option(True, "--browser/--no-browser", help="Open the page."),
) -> None:
    """Open the desk in the browser.

    Ctrl-C ends it: a running take pauses, and everything is there the next time.
    """
    from rehearse.studio.serve import serve

    token = secrets.token_urlsafe(24) if token == "new" else token
    serve(
        projects, host=host, port=port, allow_hosts=allow_host, root_path=root_path, token=token,
        browser=browser, devices=device, models=model, engine=engine.value,
        say=lambda address: typer.echo(f"the studio is at {address}  (Ctrl-C ends it)"),
    )  # fmt: skip
