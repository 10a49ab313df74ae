"""A toy base and rows to train it on, fresh for each file of tests."""

from __future__ import annotations

from pathlib import Path

import pytest
from toy_cogvideox import save_base, save_rows


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_base(tmp_path_factory.mktemp("base") / "toy")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_rows(tmp_path_factory.mktemp("data"))
