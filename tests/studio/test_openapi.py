"""The OpenAPI document: current, and kept to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi.testclient import TestClient
from hand_engine import SHOT, HandEngine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehearse.studio.app import create_app
from rehearse.studio.limits import ServerLimits
from rehearse.studio.openapi import openapi_text

PUBLISHED = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"


def test_the_published_document_is_current() -> None:
    assert PUBLISHED.read_text() == openapi_text(), "run: python -m rehearse.studio.openapi"


def test_every_operation_has_a_name_and_words() -> None:
    paths = json.loads(openapi_text())["paths"]
    operations = [entry for path in paths.values() for entry in path.values()]
    names = [entry["operationId"] for entry in operations]
    assert len(names) == len(set(names)) > 40
    assert all(entry["summary"] and entry["responses"]["default"] for entry in operations)


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, dict[str, str]]]:
    """An app with something in it. The stream never ends, so that it is asked elsewhere."""
    folder = tmp_path_factory.mktemp("described")
    app = create_app(
        folder / "projects", HandEngine(), hosts=["testserver"], limits=ServerLimits(further_models=("toy",))
    )
    with TestClient(app, base_url="http://localhost") as client:
        project = client.post("/api/projects", json={"name": "p"}).json()["id"]
        shot = client.post(f"/api/projects/{project}/shots", json={"shot": SHOT}).json()["id"]
        take = client.post(f"/api/shots/{shot}/takes", json={"play": False}).json()["id"]
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
        yield schema, {"project": project, "shot": shot, "take": take}


# The stream has no end, and no serializer makes zip files: test_running and test_uploads ask these two.
_ELSEWHERE = ("streamEvents", "importProject")
_OPERATIONS = sorted(
    entry["operationId"]
    for path in json.loads(openapi_text())["paths"].values()
    for entry in path.values()
    if entry["operationId"] not in _ELSEWHERE
)


@pytest.mark.parametrize("name", _OPERATIONS)
def test_no_request_makes_the_server_fail(described: tuple[Any, dict[str, str]], name: str) -> None:
    schema, here = described
    operation = schema.find_operation_by_id(name)

    @given(case=operation.as_strategy(), known=st.booleans())
    @settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def ask(case: schemathesis.Case, known: bool) -> None:
        if known:  # ids that happen to exist are too rare
            case.path_parameters = {k: here.get(k, v) for k, v in (case.path_parameters or {}).items()}
        answer = case.call()
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert {"error", "field"} <= set(answer.json()) <= {"error", "field", "problems"}

    ask()
