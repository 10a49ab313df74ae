"""A studio without a worker for the API's own tests, and a real one in processes of its own."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "shot"))

from hand_engine import HandEngine
from studio_process import StudioProcess

from rehearse.studio.app import create_app
from rehearse.studio.limits import ServerLimits


@pytest.fixture
def engine() -> HandEngine:
    return HandEngine()


@pytest.fixture
def client(tmp_path: Path, engine: HandEngine) -> Iterator[TestClient]:
    """The API over an engine that a test plays by hand."""
    app = create_app(tmp_path / "projects", engine, limits=ServerLimits(further_models=("toy",)))
    # Faults shall be answered as they are in production, not raised into the test.
    with TestClient(app, base_url="http://localhost", raise_server_exceptions=False) as client:
        yield client


@pytest.fixture(scope="session")
def toy_model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model folder whose steps take milliseconds."""
    from toy_models import save_toy_model

    return str(save_toy_model(tmp_path_factory.mktemp("models") / "toy"))


@pytest.fixture(scope="session")
def toy_animator(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder of a model that starts from a picture, its image model beside it."""
    from toy_models import save_toy_model, save_toy_motion_model

    root = tmp_path_factory.mktemp("animators")
    settings = {"defaults": {"frames": 1, "steps": 4, "guidance": 3.0, "width": 64, "height": 64}}
    base = save_toy_model(root / "toy-image", kind="image", settings=settings)
    return str(save_toy_motion_model(root / "toy-animate", base))


@pytest.fixture(scope="session")
def studio(
    tmp_path_factory: pytest.TempPathFactory, toy_model: str, toy_animator: str
) -> Iterator[StudioProcess]:
    """A server and a worker, each in a process of its own, with the toy models."""
    folder = tmp_path_factory.mktemp("studio") / "projects"
    with StudioProcess(folder, models=[toy_model, toy_animator]) as process:
        process.worker_ready()
        yield process
