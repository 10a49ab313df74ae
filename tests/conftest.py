"""Fixtures that several rooms share: toy models, saved once per session."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from rehearse.models.model import VideoModel

# A busy machine is no failure: no test is decided by how long it took.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What is written down is what was declared: a value of another type is a fault, not a warning."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("error:Pydantic serializer warnings"), append=False)


@pytest.fixture(autouse=True)
def fresh_accelerate() -> None:
    """Accelerate keeps one state a process: the precision of one test's run would be the next one's too."""
    if "accelerate.state" in sys.modules:
        sys.modules["accelerate.state"].AcceleratorState._reset_state(True)


@pytest.fixture(scope="session")
def video_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy text-to-video model that predicts epsilon."""
    from toy_models import save_toy_model

    return save_toy_model(tmp_path_factory.mktemp("models") / "toy-video")


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A toy text-to-image model with an AutoencoderTiny."""
    from toy_models import save_toy_model

    return save_toy_model(tmp_path_factory.mktemp("models") / "toy-image", kind="image", vae="tiny")


@pytest.fixture(scope="session")
def prediction_folders(tmp_path_factory: pytest.TempPathFactory, video_folder: Path) -> dict[str, Path]:
    """One toy text-to-video model per prediction type, one with joint attention, and one with a video's."""
    from toy_models import save_toy_cogvideox, save_toy_model, save_toy_wan

    root = tmp_path_factory.mktemp("models")
    return {
        "epsilon": video_folder,
        "v_prediction": save_toy_model(root / "v", prediction="v_prediction"),
        "flow_prediction": save_toy_model(root / "flow", prediction="flow_prediction"),
        "cogvideox": save_toy_cogvideox(root / "cogvideox", vae="tiny", pictures=False),
        "wan": save_toy_wan(root / "wan"),
    }


@pytest.fixture(scope="session")
def video_model(video_folder: Path) -> VideoModel:
    """The toy video model, loaded in float32."""
    from rehearse.models import load_model

    return load_model(str(video_folder), precision="float32")


@pytest.fixture(scope="session")
def image_model(image_folder: Path) -> VideoModel:
    """The toy image model, loaded in float32."""
    from rehearse.models import load_model

    return load_model(str(image_folder), precision="float32")
