"""Models that cannot be used: one sentence each, and no pickle is ever opened."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_models import save_toy_model

from rehearse.models import ModelError, list_models, load_model
from rehearse.models import registry as registry_module
from rehearse.models.folder import ModelFolder
from rehearse.resolve.vocabulary import nearest_words, unknown_words


@pytest.fixture
def folder(video_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(video_folder, tmp_path / "copy")


def refusal(name: Path | str) -> str:
    with pytest.raises(ModelError) as caught:
        load_model(str(name))
    message = str(caught.value)
    assert "\n" not in message and "Traceback" not in message
    return message


def weights(folder: Path, component: str = "unet") -> Path:
    return next((folder / component).glob("*.safetensors"))


def test_a_cut_off_file(folder: Path) -> None:
    file = weights(folder)
    file.write_bytes(file.read_bytes()[:-100])
    assert "cut off or corrupt" in refusal(folder)


@pytest.mark.parametrize(
    "content", [b"", b"abc", b"\x80\x02}q\x00." * 50, b"\x10" + b"\0" * 7 + b"not json at all!"]
)
def test_a_file_that_is_no_safetensors(folder: Path, content: bytes) -> None:
    weights(folder).write_bytes(content)
    message = refusal(folder)
    assert "unet/" in message and "not a safetensors file" in message


def test_other_components_are_checked_too(folder: Path) -> None:
    for component in ("vae", "text_encoder"):
        file = weights(folder, component)
        whole = file.read_bytes()
        file.write_bytes(whole[:-4])
        assert f"{component}/" in refusal(folder)
        file.write_bytes(whole)


def test_pickles_are_refused_without_being_opened(folder: Path, tmp_path: Path) -> None:
    weights(folder).unlink()
    # Loading this would create the file: a pickle that runs code.
    trap = b"cposix\nsystem\n(S'touch " + str(tmp_path / "sprung").encode() + b"'\ntR."
    (folder / "unet" / "diffusion_pytorch_model.bin").write_bytes(trap)
    message = refusal(folder)
    assert "diffusion_pytorch_model.bin" in message and "convert them to safetensors" in message
    assert not (tmp_path / "sprung").exists()


def test_a_missing_shard(tmp_path: Path) -> None:
    folder = save_toy_model(tmp_path / "sharded", shard="40KB")
    shards = sorted((folder / "unet").glob("*.safetensors"))
    shards[1].unlink()
    assert f"unet/{shards[1].name} is missing" in refusal(folder)


def test_weights_of_another_architecture(folder: Path) -> None:
    config = json.loads((folder / "unet" / "config.json").read_text())
    (folder / "unet" / "config.json").write_text(json.dumps({**config, "block_out_channels": [8, 24]}))
    assert "unet/ does not fit its config.json" in refusal(folder)


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("unet/config.json", "{", "unet/config.json"),
        ("scheduler/scheduler_config.json", None, "scheduler_config.json is missing"),
        ("scheduler/scheduler_config.json", '{"prediction_type": "score"}', "prediction type 'score'"),
        ("model_index.json", '{"_class_name": "FooPipeline"}', "family that is not supported"),
        ("model_index.json", "[]", "must hold a JSON object"),
        ("tokenizer/tokenizer.json", "{", "tokenizer"),
    ],
)
def test_a_broken_description(folder: Path, file: str, content: str | None, expected: str) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_text(content)
    assert expected in refusal(folder)


def test_a_folder_without_an_index(tmp_path: Path) -> None:
    assert "no model_index.json" in refusal(tmp_path)


def test_an_unknown_name_gets_the_nearest(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    save_toy_model(tmp_path / "theatre-video")
    monkeypatch.setattr(registry_module, "EMBEDDED", tmp_path)
    assert [(entry.name, entry.family) for entry in list_models()] == [("theatre-video", "unet3d")]
    assert list_models()[0].size > 10_000
    assert "did you mean 'theatre-video'?" in refusal("theatre-vidoe")
    assert "installed: theatre-video" in refusal("zzz")
    assert load_model("theatre-video").identity == "theatre-video"


def test_a_hub_id_that_cannot_be_had(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path))

    def offline(*args: object, **kwargs: object) -> str:
        raise OSError("the hub cannot be reached\nand more")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    message = refusal("nobody/such-model")
    assert "nobody/such-model" in message and "HF_HUB_OFFLINE forbids fetching it" in message
    monkeypatch.delenv("HF_HUB_OFFLINE")
    message = refusal("nobody/such-model")
    assert "the hub cannot be reached; check the spelling and the network" in message


def test_a_snapshot_in_the_cache_is_found_and_a_cut_off_one_fetched_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, video_folder: Path
) -> None:
    cache = tmp_path / "models--toys--video"
    snapshot = shutil.copytree(video_folder, cache / "snapshots" / ("a" * 40))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("a" * 40)
    (cache / "blobs").mkdir()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    (entry,) = registry_module.cached_models()
    assert (entry.name, entry.family, entry.path) == ("toys/video", "unet3d", snapshot)
    assert load_model("toys/video").identity == "toys/video"
    weights(snapshot).unlink()
    assert registry_module.cached_models() == ()
    asked = []

    def fetch(repository: str, *, local_files_only: bool = False, **options: object) -> str:
        asked.append(local_files_only)
        return str(snapshot if local_files_only else video_folder)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert registry_module.find_model("toys/video").path == video_folder and asked == [True, False]


def renamed(file: Path, variant: str) -> Path:
    return file.rename(file.with_name(f"{file.stem}.{variant}.safetensors"))


def test_weights_that_exist_as_a_variant_only(folder: Path, video_folder: Path) -> None:
    for component in ("unet", "vae", "text_encoder"):
        renamed(weights(folder, component), "fp16")
        assert ModelFolder(folder, "a").variant(component) == "fp16"
    text = load_model(str(folder)).encode("a red ball")
    assert torch.equal(text, load_model(str(video_folder)).encode("a red ball"))
    # The plain weights come first, and fp16 before what else there is.
    shutil.copy(weights(folder), folder / "unet" / "diffusion_pytorch_model.non_ema.safetensors")
    assert ModelFolder(folder, "a").variant("unet") == "fp16"
    shutil.copy(weights(folder), folder / "unet" / "diffusion_pytorch_model.safetensors")
    assert ModelFolder(folder, "a").variant("unet") is None


def test_a_variant_in_shards(tmp_path: Path) -> None:
    from diffusers import UNet3DConditionModel

    folder = save_toy_model(tmp_path / "toy")
    plain = UNet3DConditionModel.from_pretrained(folder / "unet")
    weights(folder).unlink()
    plain.save_pretrained(folder / "unet", variant="fp16", max_shard_size="30KB")
    files = sorted((folder / "unet").glob("*.safetensors"))
    assert len(files) > 1 and ModelFolder(folder, "a").variant("unet") == "fp16"
    loaded: Any = load_model(str(folder), precision="float32")
    for (name, before), after in zip(
        plain.state_dict().items(), loaded.denoiser.state_dict().values(), strict=True
    ):
        assert torch.equal(before, after), name
    files[0].unlink()
    assert "is missing, its index names it" in refusal(folder)


def test_the_fingerprint_follows_the_weights_and_settings_only(folder: Path, video_folder: Path) -> None:
    before = ModelFolder(folder, "a").fingerprint()
    assert before == ModelFolder(video_folder, "b").fingerprint() and len(before) == 64
    (folder / "README.md").write_text("a card")
    (folder / "sheet.json").write_text("{}")
    assert ModelFolder(folder, "a").fingerprint() == before
    file = weights(folder, "vae")
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(bytes(content))
    assert ModelFolder(folder, "a").fingerprint() != before


def test_a_changed_folder_is_loaded_anew(folder: Path) -> None:
    first = load_model(str(folder))
    assert load_model(str(folder)) is first
    settings = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())
    settings["beta_end"] = 0.02
    (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(settings))
    assert load_model(str(folder)) is not first


def test_words() -> None:
    known = {"red", "ball", "meadow", "moves"}
    assert unknown_words("A Red, dragon moves; a dragon's meadow", known) == ["a", "dragon", "dragon's"]
    assert nearest_words("medow", known) == ["meadow"]
    assert nearest_words("xylophone", known) == []


def test_a_theatre_model_that_does_not_ship_says_how_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehearse.models.registry.EMBEDDED", tmp_path)
    with pytest.raises(ModelError, match=r"does not ship .*; rehearse train theatre-reach --export DIR"):
        registry_module.find_model("theatre-reach")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([], 'defaults cannot be []; write {"frames": 16, "fps": 8}'),
        ({"steps": "4"}, "defaults.steps cannot be '4'; give a whole number"),
        ({"frames": 0}, "defaults.frames cannot be 0; it is at least 1"),
        ({"guidance": -1}, "defaults.guidance cannot be -1; it is 0 or above"),
        ({"fps": float("nan")}, "defaults.fps cannot be nan; it is 0 or above"),
        ({"frams": 4}, "rehearse.json sets defaults.frams; known: fps, frames,"),
    ],
)
def test_defaults_that_cannot_be(folder: Path, said: Any, expected: str) -> None:
    (folder / "rehearse.json").write_text(json.dumps({"defaults": said}))
    assert expected in refusal(folder)


def test_settings_that_nothing_reads_are_told(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (folder / "rehearse.json").write_text('{"lora": [], "_note": "mine", "$schema": "x"}')
    above = tmp_path / "above"
    above.mkdir()
    (above / "rehearse.json").write_text('{"base": "../copy", "max_frame": 8, "defaults": {}}')
    load_model(str(above))
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(" says ")[2] for line in told if "is not read" in line] == [
        '"max_frame", which is not read; did you mean "max_frames"?',
        '"lora", which is not read; did you mean "loras"?',
    ]
