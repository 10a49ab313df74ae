"""``rehearse evaluate ...``: a command for each study in ``rehearse.evaluation``.

A command imports its study in its body, so that help stays fast.
"""

from __future__ import annotations

import typer

from rehearse.cli.evaluate import animate, blend, fork, latency, shift, target, theatre, trajectory

app = typer.Typer(help="Measure models and methods, and write tables and sheets.", no_args_is_help=True)

app.command("trajectory", epilog=trajectory.EPILOG)(trajectory.trajectory)
app.command("theatre", epilog=theatre.EPILOG)(theatre.theatre)
app.command("shift")(shift.shift)
app.command("fork")(fork.fork)
app.command("blend")(blend.blend)
app.command("animate", epilog=animate.EPILOG)(animate.animate)
app.command("target", epilog=target.EPILOG)(target.target)
app.command("latency")(latency.latency)
