"""What a UNet hands over at its sites: kinds, layouts and grids, and that watching changes nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from toy_models import toy_unet

from rehearse.models.attention import Stage, describe, install, spread_text
from rehearse.models.model import VideoModel
from rehearse.sites import AttentionCall, Site


class Watcher:
    """Wants every site, or those given; notes the calls; answers None, plain or zero."""

    def __init__(self, answer: str = "none", only: str = "") -> None:
        self.answer, self.only = answer, only
        self.calls: dict[str, AttentionCall] = {}

    def wants(self, site: Site) -> bool:
        return self.only in site.name

    def __call__(self, call: AttentionCall) -> Tensor | None:
        self.calls[call.site.name] = call
        plain = call.plain()
        return {"none": None, "plain": plain, "zero": torch.zeros_like(plain)}[self.answer]


def inputs(model: VideoModel, clips: int, frames: int, height: int, width: int) -> tuple[Tensor, Tensor]:
    torch.manual_seed(3)
    latents = torch.randn(2 * clips, 4, frames, height, width)
    return latents, model.encode("a red ball moves right", "")


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("transformer_in.transformer_blocks.0.attn2", "temporal", "down"),
        ("down_blocks.1.attentions.0.transformer_blocks.0.attn1", "spatial", "down"),
        ("mid_block.attentions.0.transformer_blocks.1.attn2", "cross", "mid"),
        ("up_blocks.2.temp_attentions.1.transformer_blocks.0.attn1", "temporal", "up"),
        ("up_blocks.2.temp_attentions.1.transformer_blocks.0.attn2", "temporal", "up"),
    ],
)
def test_a_site_is_known_by_its_path(name: str, kind: str, part: str) -> None:
    site = describe(name, 2)
    assert site is not None and (site.kind, site.part) == (kind, part)


def test_an_attention_outside_transformers_is_no_site() -> None:
    assert describe("mid_block.attentions.0", 2) is None


def test_every_transformer_attention_is_a_site(video_model: VideoModel, image_model: VideoModel) -> None:
    kinds = [site.kind for site in video_model.sites]
    assert (kinds.count("spatial"), kinds.count("cross"), kinds.count("temporal")) == (4, 4, 10)
    assert {site.part for site in video_model.sites} == {"down", "mid", "up"}
    assert {site.kind for site in image_model.sites} == {"spatial", "cross"}
    heads = {site.name.split(".")[0]: site.heads for site in video_model.sites}
    # attention_head_dim 4 is the width of a head: 8 and 16 channels make 2 and 4 heads.
    assert (heads["down_blocks"], heads["mid_block"]) == (2, 4)


@pytest.mark.parametrize("kind", ["video", "image"])
def test_our_processors_compute_what_the_stock_ones_do(kind: str) -> None:
    torch.manual_seed(0)
    unet = toy_unet(kind).eval()  # type: ignore[arg-type]
    shape = (4, 4, 3, 6, 8) if kind == "video" else (4, 4, 6, 8)
    latents, text = torch.randn(shape), torch.randn(4, 12, 16)
    with torch.no_grad():
        stock = unet(latents, torch.tensor(500), text)[0]
        stage = Stage(branches=2, clips=2, frames=3 if kind == "video" else 1)
        assert install(unet, stage)
        ours = unet(latents, torch.tensor(500), text)[0]
        stage.attend = Watcher("plain")
        handed_over = unet(latents, torch.tensor(500), text)[0]
    torch.testing.assert_close(ours, stock, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(handed_over, stock, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("answer", ["none", "plain"])
def test_watching_changes_nothing(video_model: VideoModel, answer: str) -> None:
    latents, text = inputs(video_model, 1, 3, 8, 8)
    alone = video_model.denoise(latents, torch.tensor(400), text)
    watched = video_model.denoise(latents, torch.tensor(400), text, Watcher(answer))
    torch.testing.assert_close(watched, alone, atol=1e-5, rtol=1e-5)


def test_an_answer_reaches_the_output_and_ends_with_the_call(video_model: VideoModel) -> None:
    latents, text = inputs(video_model, 1, 3, 8, 8)
    alone = video_model.denoise(latents, torch.tensor(400), text)
    for only in ("attentions.0.transformer_blocks.0.attn2", "transformer_in", "temp_attentions"):
        changed = video_model.denoise(latents, torch.tensor(400), text, Watcher("zero", only))
        assert (changed - alone).abs().max() > 1e-4, only
    assert torch.equal(video_model.denoise(latents, torch.tensor(400), text), alone)


@pytest.mark.parametrize(("clips", "frames", "height", "width"), [(1, 4, 8, 8), (2, 3, 5, 9), (1, 2, 40, 72)])
def test_calls_are_in_the_canonical_layout(
    video_model: VideoModel, clips: int, frames: int, height: int, width: int
) -> None:
    latents, text = inputs(video_model, clips, frames, height, width)
    watcher = Watcher()
    output = video_model.denoise(latents, torch.tensor(400), text, watcher)
    assert output.shape == latents.shape
    assert set(watcher.calls) == {site.name for site in video_model.sites}
    low = ((height + 1) // 2, (width + 1) // 2)
    for call in watcher.calls.values():
        grid, batch = call.grid, 2 * clips
        assert (call.branches, call.clips, grid.frames) == (2, clips, frames)
        assert (grid.height, grid.width) == (low if call.site.part == "mid" else (height, width))
        assert call.query.shape[:2] == (
            (batch * grid.area if call.site.kind == "temporal" else batch * frames),
            call.site.heads,
        )
        queries = frames if call.site.kind == "temporal" else grid.area
        keys = video_model.limits.max_tokens if call.site.kind == "cross" else queries
        assert (call.query.shape[2], call.key.shape[2], call.value.shape[2]) == (queries, keys, keys)


@pytest.mark.parametrize(
    "name", ["down_blocks.0.attentions.0", "mid_block.temp_attentions.0", "transformer_in"]
)
def test_rows_and_tokens_are_where_the_layout_says(video_model: VideoModel, name: str) -> None:
    """Queries computed by hand from what enters the transformer, at each (branch, clip, frame, y, x)."""
    clips, frames, height, width = 2, 3, 6, 7
    latents, text = inputs(video_model, clips, frames, height, width)
    unet = video_model.denoiser  # type: ignore[attr-defined]
    transformer = unet.get_submodule(name)
    entered: list[Tensor] = []
    hook = transformer.register_forward_pre_hook(lambda module, args: entered.append(args[0]))
    watcher = Watcher()
    video_model.denoise(latents, torch.tensor(400), text, watcher)
    hook.remove()

    call = watcher.calls[f"{name}.transformer_blocks.0.attn1"]
    x = entered[0].unflatten(0, (2, clips, frames))  # branch, clip, frame, channel, y, x
    with torch.no_grad():
        block = transformer.transformer_blocks[0]
        if call.site.kind == "temporal":
            normed = transformer.norm(x.flatten(0, 1).transpose(1, 2)).unflatten(0, (2, clips))
            tokens = normed.permute(0, 1, 4, 5, 3, 2)  # branch, clip, y, x, frame, channel
            tokens = transformer.proj_in(tokens)
        else:
            normed = transformer.norm(x.flatten(0, 2)).unflatten(0, (2, clips, frames))
            tokens = normed.permute(0, 1, 2, 4, 5, 3)  # branch, clip, frame, y, x, channel
            weight = transformer.proj_in.weight.flatten(1)
            tokens = torch.nn.functional.linear(tokens, weight, transformer.proj_in.bias)
        expected = block.attn1.to_q(block.norm1(tokens))
    got = call.query.transpose(1, 2).flatten(2).reshape(expected.shape)
    torch.testing.assert_close(got, expected, atol=1e-5, rtol=1e-4)


def test_keys_of_a_cross_site_are_its_branch_s_prompt(video_model: VideoModel) -> None:
    latents, _ = inputs(video_model, 2, 3, 6, 7)
    text = torch.stack([video_model.encode("a red ball"), video_model.encode("the blue star")], dim=1)
    watcher = Watcher()
    video_model.denoise(latents, torch.tensor(400), text, watcher)
    name = "mid_block.attentions.0.transformer_blocks.0.attn2"
    module = video_model.denoiser.get_submodule(name)  # type: ignore[attr-defined]
    keys = watcher.calls[name].key.transpose(1, 2).flatten(2).unflatten(0, (2, 2, 3))
    for branch in range(2):
        for clip in range(2):
            for frame in range(3):
                torch.testing.assert_close(keys[branch, clip, frame], module.to_k(text[branch, clip]))


def test_clips_do_not_mix_and_may_have_prompts_of_their_own(video_model: VideoModel) -> None:
    torch.manual_seed(0)
    latents = torch.randn(2, 4, 3, 8, 8)
    one, two = video_model.encode("a red ball"), video_model.encode("the blue star")
    both = torch.stack([one, two], dim=1)  # [branches, clips, tokens, width]
    together = video_model.denoise(torch.cat([latents, latents]), torch.tensor(300), both)
    for clip, text in enumerate((one, two)):
        alone = video_model.denoise(latents[clip : clip + 1].repeat(2, 1, 1, 1, 1), torch.tensor(300), text)
        torch.testing.assert_close(together[clip::2], alone, atol=1e-5, rtol=1e-4)


def test_text_that_does_not_fit_the_batch_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        spread_text(torch.zeros(2, 4, 8), 3)
    with pytest.raises(ValueError, match="does not fit"):
        spread_text(torch.zeros(2, 3, 4, 8), 4)
