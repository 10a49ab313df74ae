"""The routes, one file a resource; thin: they read a request, call the desk and give a view."""

from __future__ import annotations

from fastapi import APIRouter

from rehearse.studio.api import (
    events,
    exchange,
    images,
    models,
    pictures,
    projects,
    queue,
    shots,
    takes,
)

router = APIRouter(prefix="/api")
for _room in (models, projects, shots, images, takes, pictures, queue, events, exchange):
    router.include_router(_room.router)
