"""Every target that a person can call is told by ``make help``."""

from __future__ import annotations

import re
from pathlib import Path

MAKEFILE = (Path(__file__).parents[1] / "Makefile").read_text()


def test_help_tells_every_target() -> None:
    phony = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.M)
    assert phony is not None
    told = dict(re.findall(r"^([a-z0-9-]+):.*?## (.+)$", MAKEFILE, re.M))
    assert set(told) == set(phony[1].split())
    assert all(len(what) > 10 for what in told.values())
