"""A run whose numbers stop being numbers ends in one sentence and stands at its last good step."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor
from toy_models import save_toy_model

import rehearse as rh
from rehearse.cli import run
from rehearse.models import ModelError, load_model
from rehearse.models.finite import flaw_of
from rehearse.models.model import VideoModel
from rehearse.models.precision import Precision
from rehearse.planning import plan
from rehearse.sampling.loop import Loop
from rehearse.sampling.not_finite import NotFinite
from rehearse.takes import Take


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("finite") / "base"
    return save_toy_model(place, kind="image", vae="tiny", settings={"defaults": {"frames": 1}})


@pytest.fixture
def model(folder: Path) -> VideoModel:
    return load_model(str(folder), precision="float32")


def shot_of(folder: Path, **fields: Any) -> rh.Shot:
    return rh.Shot("a red ball", model=str(folder), **{"steps": 4, "width": 64, "height": 64, **fields})


def spoiled_from(model: VideoModel, step: int, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the denoiser answer with one value of this kind from a step on, counted from 1."""
    real, calls = model.denoise, [0]

    def denoise(latents: Tensor, *given: Any) -> Tensor:
        calls[0] += 1
        answer = real(latents, *given)
        if calls[0] >= step:
            answer[0, 0, 0, 1, 1] = value
        return answer

    monkeypatch.setattr(model, "denoise", denoise)


@pytest.mark.parametrize(("value", "flaw"), [(torch.nan, "NaN"), (-torch.inf, "NaN|infinite values")])
@pytest.mark.parametrize("scheduler", ["ddim", "euler", "dpm++", "unipc"])
def test_the_step_is_named_and_the_take_keeps_the_one_before(
    folder: Path, model: VideoModel, monkeypatch: pytest.MonkeyPatch, scheduler: str, value: float, flaw: str
) -> None:
    shot = shot_of(folder, scheduler=scheduler)
    whole = Take.start(shot, model).finish()
    with monkeypatch.context() as patch:
        spoiled_from(model, 3, value, patch)
        take = Take.start(shot, model)
        with pytest.raises(
            NotFinite,
            match=rf"^step 3 of 4 made latents that hold ({flaw}); likely .*; the run stands at step 2$",
        ):
            take.finish()
        assert take.step == 2 and take.state is not None
        assert flaw_of(take.state.latents) is None and 2 in take.kept_steps and 3 not in take.kept_steps
    take.finish()  # what spoiled it is gone: it plays on from there
    assert take.state is not None and whole.state is not None
    assert torch.equal(take.state.latents, whole.state.latents)


def test_a_take_in_a_folder_has_no_step_that_is_none(
    folder: Path, model: VideoModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from rehearse.takes.folder import TakeFolder

    shot, place = shot_of(folder), tmp_path / "a.take"
    with monkeypatch.context() as patch:
        spoiled_from(model, 3, torch.nan, patch)
        with pytest.raises(NotFinite):
            Take.start(shot, model, recorder=TakeFolder.create(place)).finish()
    take = TakeFolder.open(place).take(model)
    assert take.step == 2
    take.finish()
    assert torch.equal(take.state.latents, Take.start(shot, model).finish().state.latents)  # type: ignore[union-attr]


def test_what_is_likely_follows_from_the_run(
    folder: Path, model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(loop: Loop) -> str:
        with pytest.raises(NotFinite) as caught:
            loop.step(loop.start())
        assert "\n" not in str(caught.value)
        return str(caught.value)

    spoiled_from(model, 1, torch.nan, monkeypatch)
    assert "; likely a LoRA or a control is too strong; the run" in said(
        Loop(model, plan(shot_of(folder), model))
    )
    strong = plan(shot_of(folder, guidance=90), model)
    assert "likely a guidance of 90 is too high, or a LoRA" in said(Loop(model, strong))
    monkeypatch.setattr(model, "precision", Precision(torch.device("cpu"), torch.bfloat16))
    assert "likely bfloat16 overflows (set REHEARSE_PRECISION=float32), or" in said(Loop(model, strong))
    unread = plan(shot_of(folder), model)
    unread.text[1, 0, 0] = torch.inf
    assert "the text encoder gives infinite values for this prompt" in said(Loop(model, unread))


def test_latents_that_were_none_before_are_told(folder: Path, model: VideoModel) -> None:
    loop = Loop(model, plan(shot_of(folder), model))
    state = loop.step(loop.start())
    state.latents[0, 0, 0, 0, 0] = torch.nan
    with pytest.raises(NotFinite, match="stands at step 1 with latents that hold NaN already; go back"):
        loop.step(state)


def test_frames_that_are_none_are_told_and_the_latents_stay(
    folder: Path, model: VideoModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Take.start(shot_of(folder), model).finish()
    vae: Any = model._codec.vae  # type: ignore[attr-defined]
    real = vae.decode
    for value, flaw in ((torch.nan, "NaN"), (torch.inf, "infinite values")):

        def decode(latents: Tensor, value: float = value) -> Any:
            made = real(latents)
            made.sample[0, 0, 3, 3] = value
            return made

        monkeypatch.setattr(vae, "decode", decode)
        with pytest.raises(
            ModelError, match=f"^the frames hold {flaw}: the autoencoder overflows; use another"
        ):
            _ = take.clip
    monkeypatch.undo()
    assert take.clip.frames.shape == (1, 64, 64, 3)


def test_the_command_line_ends_in_that_sentence(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    ink = tmp_path / "ink"
    ink.mkdir()
    said = {"base": str(folder), "loras": [{"file": "l.safetensors", "scale": 1e30}]}
    (ink / "rehearse.json").write_text(json.dumps(said))
    name = "unet.mid_block.resnets.0.conv1"
    save_file(
        {
            f"{name}.lora_A.weight": torch.ones(1, 16, 3, 3),
            f"{name}.lora_B.weight": torch.ones(16, 1, 1, 1) * 1e7,
        },
        ink / "l.safetensors",
    )
    code = run(
        ["generate", "a red ball", "--model", str(ink), "--size", "64x64", "--steps", "2", "-o", "x.png"]
    )
    told = capfd.readouterr().err.strip().splitlines()[-1]
    assert code != 0 and not (tmp_path / "x.png").exists()
    assert told.startswith("rehearse: step 1 of 2 made latents that hold NaN; likely ")
    assert told.endswith("a LoRA or a control is too strong; the run stands at step 0.")
