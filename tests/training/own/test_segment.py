"""``rehearse mask`` with transformers' own SAM 2 class at toy size, and what it says without weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from toy_cogvideox import SIZE, save_rows

from rehearse.cli import run
from rehearse.training.own.errors import TrainingError
from rehearse.training.own.segment import load_segmenter, segment


@pytest.fixture(scope="module")
def sam2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from transformers import Sam2Config, Sam2HieraDetConfig, Sam2Model, Sam2VisionConfig
    from transformers.models.sam2.configuration_sam2 import Sam2MaskDecoderConfig, Sam2PromptEncoderConfig

    backbone = Sam2HieraDetConfig(
        hidden_size=8,
        image_size=[128, 128],
        blocks_per_stage=[1, 1, 2, 1],
        embed_dim_per_stage=[8, 16, 32, 64],
        num_attention_heads_per_stage=[1, 1, 2, 2],
        window_size_per_stage=[4, 4, 4, 4],
        global_attention_blocks=[3],
        window_positional_embedding_background_size=[2, 2],
    )
    config = Sam2Config(
        vision_config=Sam2VisionConfig(
            backbone_config=backbone,
            backbone_channel_list=[64, 32, 16, 8],
            backbone_feature_sizes=[[32, 32], [16, 16], [8, 8]],
            fpn_hidden_size=32,
        ),
        prompt_encoder_config=Sam2PromptEncoderConfig(hidden_size=32, image_size=128),
        mask_decoder_config=Sam2MaskDecoderConfig(
            hidden_size=32, mlp_dim=32, num_hidden_layers=1, num_attention_heads=2, iou_head_hidden_dim=16
        ),
    )
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("sam2")
    Sam2Model(config).save_pretrained(folder, safe_serialization=True)
    return folder


def test_the_mask_is_the_frames_size_and_follows_the_point(sam2: Path) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 72, 3), dtype=np.uint8)
    model = load_segmenter(str(sam2))
    masks = [segment(model, picture, [point])[0] for point in ((0.1, 0.1), (0.9, 0.8))]
    assert masks[0].shape == (40, 72)
    assert set(np.unique(masks[0])) == {0, 255}
    assert (masks[0] != masks[1]).any()
    assert (segment(model, picture, [(0.1, 0.1)], [(0.8, 0.8)])[0] != masks[0]).any()


def test_the_command_writes_a_mask_that_training_accepts(sam2: Path, tmp_path: Path) -> None:
    save_rows(tmp_path, count=1)
    out = tmp_path / "cup.png"
    words = [
        "mask",
        str(tmp_path / "0.mp4"),
        "--point",
        ".3,.4",
        "-o",
        str(out),
        "--model",
        str(sam2),
        "--overlay",
    ]
    assert run(words) == 0
    assert Image.open(out).size == (SIZE, SIZE)
    assert Image.open(tmp_path / "cup.marked.png").size == (SIZE, SIZE)
    assert run(words) == 2  # it is there already


def test_without_weights_it_says_what_to_do(tmp_path: Path, sam2: Path) -> None:
    with pytest.raises(TrainingError, match=r"no .safetensors weights; give --model a folder"):
        load_segmenter(str(tmp_path))
    with pytest.raises(TrainingError, match="there is no such folder"):
        load_segmenter("./nowhere")
    (tmp_path / "config.json").write_text('{"model_type": "clip"}')
    (tmp_path / "model.safetensors").write_bytes((sam2 / "model.safetensors").read_bytes())
    with pytest.raises(TrainingError, match="it is no SAM 2 but 'clip'"):
        load_segmenter(str(tmp_path))


def test_a_hub_that_cannot_be_reached_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import huggingface_hub

    def unreachable(*_: object, **__: object) -> str:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", unreachable)
    with pytest.raises(TrainingError, match="not here and cannot be downloaded; give --model a folder"):
        load_segmenter("facebook/sam2.1-hiera-small")


def test_what_is_no_clip_is_told(sam2: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "text.mp4").write_text("no clip")
    out = tmp_path / "m.png"
    for name, told in (
        ("gone.mp4", "gone.mp4: there is no such file; check the path"),
        (".", "it is a folder; name a file in it"),
        ("text.mp4", "it is no video, or it is damaged"),
    ):
        words = ["mask", str(tmp_path / name), "--point", ".5,.5", "--model", str(sam2), "-o", str(out)]
        assert run(words) == 2
        assert told in capsys.readouterr().err
    assert run([*words[:-1], str(out.with_suffix(".jpg"))]) == 2
    assert "a mask is a png; end its name in .png" in capsys.readouterr().err
    assert not out.exists()


@pytest.mark.parametrize("point", [[], ["--point", "1.5,.2"], ["--point", "x"]])
def test_bad_points_are_told(point: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_rows(tmp_path, count=1)
    assert run(["mask", str(tmp_path / "0.mp4"), *point]) == 2
    assert ".62,.4" in capsys.readouterr().err
