"""CONTRIBUTING's first checklist, followed: a control is two new files and its lines in a third."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from toy_models import save_toy_model

HOUSE = Path(__file__).parents[2] / "src" / "rehearse"

METHOD = '''"""Brightening: settings and defaults."""

from __future__ import annotations

from dataclasses import dataclass

from rehearse.shot.document import Document
from rehearse.shot.fields import Fraction
from rehearse.shot.methods.method import Method


class BrightenSettings(Document):
    """What a shot may say of brightening."""

    brighten: Fraction | None = None
    """How much is added to the clean latents in every step."""


@dataclass(frozen=True, slots=True)
class Brightening(Method):
    """Brightening of a run; see :class:`BrightenSettings`."""

    brighten: float = 0.0
'''

CONTROL = '''"""Adds a constant to the clean latents."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rehearse.controls.control import Control, Moment
from rehearse.controls.material import Material
from rehearse.prediction import Prediction
from rehearse.shot.methods import Brightening


def build(material: Material) -> Iterator[Brighten]:
    """The control a shot asks for."""
    amount = material.resolved.method(Brightening).brighten
    if amount:
        yield Brighten(amount)


@dataclass(frozen=True)
class Brighten(Control):
    """amount: what is added."""

    amount: float
    name = "brighten"

    def predict(self, prediction: Prediction, moment: Moment) -> Prediction:
        return prediction.with_x0(prediction.x0 + self.amount)
'''

TRY = """
import sys
import torch
import rehearse
from rehearse import Shot, load_model
from rehearse.planning import plan
from rehearse.sampling.loop import Loop

assert rehearse.__file__.startswith(sys.argv[1]), rehearse.__file__
model = load_model(sys.argv[2])
shot = Shot("a red ball over snow", frames=2, width=48, height=40, steps=1)
plain, bright = (plan(one, model) for one in (shot, shot.with_control(brighten=0.5)))
assert [control.name for control in bright.controls] == ["brighten"] and not plain.controls
ends = [Loop(model, made).step(Loop(model, made).start()).x0 for made in (plain, bright)]
assert torch.allclose(ends[1] - ends[0], torch.full_like(ends[0], 0.5), atol=1e-5)
assert "brighten" in Shot.model_json_schema()["$defs"]["ControlSettings"]["properties"]
"""


def test_a_control_is_three_files(tmp_path: Path) -> None:
    house = tmp_path / "src" / "rehearse"
    shutil.copytree(
        HOUSE, house, ignore=shutil.ignore_patterns("__pycache__", "app", "weights", "*.safetensors")
    )
    before = {path: path.read_bytes() for path in house.rglob("*.py")}
    (house / "shot/methods/brighten.py").write_text(METHOD)
    (house / "controls/brighten.py").write_text(CONTROL)
    door = house / "shot/methods/__init__.py"
    lines = (
        ("from rehearse.shot.methods.method import Method\n",
         "from rehearse.shot.methods.brighten import Brightening, BrightenSettings\n"),
        ("    FrameAligning,\n)\n", ""),
        ("class ControlSettings(\n", "    BrightenSettings,\n"),
    )  # fmt: skip
    text = door.read_text()
    for mark, more in lines:
        assert text.count(mark) == 1
        text = text.replace(mark, mark + more if more else "    FrameAligning,\n    Brightening,\n)\n")
    door.write_text(text)
    changed = {path for path in house.rglob("*.py") if before.get(path) != path.read_bytes()}
    assert len(changed) == 3

    model = save_toy_model(tmp_path / "model", kind="video")
    ran = subprocess.run(
        [sys.executable, "-c", TRY, str(house), str(model)], capture_output=True, text=True, cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(house.parent)},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
