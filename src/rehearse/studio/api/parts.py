"""What routes share: the desk behind them, the command around them, kinds of path parameters."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Request

from rehearse.studio.commands import ClientName, Command, command_of
from rehearse.studio.desk import Desk


# Asynchronous, because FastAPI hands others to a thread, and each way there and back waits for a core.
async def desk_of(request: Request) -> Desk:
    """The desk that the app was made with."""
    desk: Desk = request.app.state.desk
    return desk


async def client_of(x_rehearse_client: ClientName = "") -> str:
    """The client's name; empty where it gives none."""
    return x_rehearse_client


OnDesk = Annotated[Desk, Depends(desk_of)]
Client = Annotated[str, Depends(client_of)]
OnCommand = Annotated[Command, Depends(command_of)]

HEX = "^[0-9a-f]{32}$"
ProjectId = Annotated[str, Path(pattern=HEX)]
ShotId = Annotated[str, Path(pattern=HEX)]
TakeId = Annotated[str, Path(pattern=HEX)]
FileDigest = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]
