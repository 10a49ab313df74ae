"""The golden cases that the page is held to are what the library says."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


def _golden() -> Any:
    spec = importlib.util.spec_from_file_location("golden", HERE / "golden.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GOLDEN = _golden()


@pytest.mark.parametrize("subject", sorted(GOLDEN.SUBJECTS))
def test_the_library_says_what_is_written(subject: str) -> None:
    written = json.loads((HERE / f"{subject}.json").read_text("utf-8"))
    said = json.loads(GOLDEN.text_of(GOLDEN.SUBJECTS[subject]()))
    assert len(written) == len(said) > 3
    for before, now in zip(written, said, strict=True):
        assert _rounded(before) == _rounded(now), "python tests/golden/golden.py writes them anew"


def test_every_file_has_its_subject() -> None:
    assert {path.stem for path in HERE.glob("*.json")} == set(GOLDEN.SUBJECTS)


def _rounded(value: Any) -> Any:
    """With numbers to within what differs between machines."""
    if isinstance(value, float):
        return pytest.approx(value, abs=2e-3)
    if isinstance(value, list):
        return [_rounded(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _rounded(inner) for key, inner in value.items()}
    return value
