"""What the studio is and what it can do."""

from __future__ import annotations

import json

from fastapi import APIRouter

from rehearse.shot.schema import schema_text
from rehearse.studio import views
from rehearse.studio.api.parts import OnDesk

router = APIRouter(tags=["studio"])


@router.get("/health", operation_id="getHealth", summary="Whether the server and its worker are up")
def health(desk: OnDesk) -> views.Health:
    return desk.health()


@router.get("/models", operation_id="listModels", summary="Installed models, what they take and follow")
def models(desk: OnDesk) -> views.ModelList:
    """The first time after an installation this waits a while for the worker to look at each model."""
    return desk.models()


@router.get("/schema/shot", operation_id="getShotSchema", summary="The shot document as a JSON Schema")
def schema() -> views.Schema:
    found: views.Schema = json.loads(schema_text())
    return found
