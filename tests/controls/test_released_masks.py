"""Masks as Peekaboo's released code applies them, against that code's behaviour written down on its own.

The emulation knows nothing of sites and calls: it takes the place of the transformer blocks' forward pass and
of the transformers' entrance, and works on hidden states with additive masks as the released code does.
"""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch
from attention_reference import moving
from toy_models import save_toy_model, save_toy_motion_model

from rehearse import Box, BoxPath, Shot
from rehearse.controls import AttentionMask, Conductor, MaskNormalization, Moment, Subject, ownership
from rehearse.models import load_model
from rehearse.planning import plan
from rehearse.shot import BoxTrajectory, ControlSettings, ShotError
from rehearse.sites import Grid

NOW = Moment(0, 4, 999.0)
FRAMES, HEIGHT, WIDTH = 4, 8, 16
PATH = moving((0.05, 0.1, 0.55, 0.6), (0.45, 0.4, 0.95, 0.95))
SUBJECT = Subject("red ball", (2, 3), PATH, corners_of=(HEIGHT, WIDTH))
RELEASED = AttentionMask(
    (SUBJECT,),
    1,
    variant="released",
    sites=frozenset({"cross", "spatial", "temporal"}),
    parts=frozenset({"mid", "up"}),
)


class Emulated:
    """The released code's blocks, put in place of a UNet's own; ``undo`` puts those back."""

    def __init__(self, unet, inside, phrase):
        self.inside, self.phrase = inside, phrase  # bool [frames, H, W]; token positions
        self.undone = []
        for name, module in unet.named_modules():
            masked = name.startswith(("mid_block", "up_blocks"))
            if masked and type(module).__name__ in ("Transformer2DModel", "TransformerTemporalModel"):
                temporal = type(module).__name__ == "TransformerTemporalModel"
                for block in module.transformer_blocks:
                    self._replace(module, block, temporal)

    def _replace(self, module, block, temporal):
        seen = {}

        def note(_, args, kwargs):
            entering = args[0] if args else kwargs["hidden_states"]
            seen["size"] = entering.shape[-2:]

        def forward(hidden_states, encoder_hidden_states=None, **_):
            owned = self._downscaled(*seen["size"])
            if temporal:
                return self._temporal(block, hidden_states, owned)
            return self._spatial(block, hidden_states, encoder_hidden_states, owned)

        hook = module.register_forward_pre_hook(note, with_kwargs=True)
        original = block.forward
        block.forward = forward
        self.undone.append(lambda: (hook.remove(), setattr(block, "forward", original)))

    def undo(self):
        for each in self.undone:
            each()

    def _downscaled(self, height, width):
        """Every scale-th pixel of the latent mask, the scale from the ratio of areas."""
        scale = int(math.sqrt(self.inside.shape[1] * self.inside.shape[2] / (height * width)))
        return self.inside[:, ::scale, ::scale].reshape(len(self.inside), -1).float()

    @staticmethod
    def _attention(attn, tokens, context, bias):
        def heads(x):
            return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        q, k, v = heads(attn.to_q(tokens)), heads(attn.to_k(context)), heads(attn.to_v(context))
        logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        if bias is not None:
            logits = logits + bias[:, None]
        mixed = (logits.softmax(-1) @ v).transpose(1, 2).flatten(2)
        return attn.to_out[0](mixed)

    @staticmethod
    def _alike(rows, columns):
        """0 where both are foreground or both are not, -10000 elsewhere."""
        return -10000.0 * (rows[:, :, None] != columns[:, None, :]).float()

    def _spatial(self, block, hidden, text, owned):
        owned = owned.repeat(len(hidden) // len(owned), 1)
        tokens = block.norm1(hidden)
        hidden = hidden + self._attention(block.attn1, tokens, tokens, self._alike(owned, owned))
        words = torch.zeros(len(hidden), text.shape[1])
        words[:, self.phrase] = 1.0
        bias = self._alike(owned, words)
        bias[:, :, 0] = -10000.0
        hidden = hidden + self._attention(block.attn2, block.norm2(hidden), text, bias)
        return hidden + block.ff(block.norm3(hidden))

    def _temporal(self, block, hidden, owned):
        owned = owned.T.repeat(len(hidden) // owned.shape[1], 1)
        tokens = block.norm1(hidden)
        hidden = hidden + self._attention(block.attn1, tokens, tokens, self._alike(owned, owned))
        tokens = block.norm2(hidden * owned[..., None])
        hidden = hidden + owned[..., None] * self._attention(block.attn2, tokens, tokens, None)
        return hidden + block.ff(block.norm3(hidden))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Three levels, so that the coarsest grid has a fourth of the latents' sides, and norms with a bias."""
    folder = save_toy_model(tmp_path_factory.mktemp("released") / "model", seed=3)
    from toy_models import toy_unet

    torch.manual_seed(5)
    unet = toy_unet("video", channels=(8, 16, 16))
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if parameter.ndim > 1:
                parameter.mul_(1.5)
            elif "norm" in name:
                parameter.add_(0.3 * torch.randn_like(parameter))
            if "temp_convs" in name or "proj_out" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    unet.save_pretrained(folder / "unet", safe_serialization=True)
    return load_model(str(folder), device="cpu", precision="float32")


@pytest.fixture(scope="module")
def given(model):
    latents = torch.randn(2, 4, FRAMES, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(0))
    return latents, model.encode("a red ball moves right", "snow")


def denoise(model, given, *controls):
    latents, text = given
    return model.denoise(latents, torch.tensor(999), text, Conductor(controls, NOW) if controls else None)


def test_it_does_what_the_released_code_does(model, given):
    inside = torch.from_numpy(PATH.to_grid(FRAMES, HEIGHT, WIDTH))
    plain = denoise(model, given)
    emulated = Emulated(model.denoiser, inside, [2, 3])
    try:
        latents, text = given
        with torch.no_grad():
            expected = model.denoiser(latents, 999, text, return_dict=False)[0]
    finally:
        emulated.undo()
    output = denoise(model, given, RELEASED)
    largest = float(expected.abs().max())
    torch.testing.assert_close(output, expected, atol=2e-5 * largest, rtol=0)
    # The emulation can tell: each of the differences is far larger than that.
    for other in (
        replace(RELEASED, variant="paper"),
        replace(RELEASED, subjects=(replace(SUBJECT, corners_of=None),)),
        replace(RELEASED, parts=frozenset({"down", "mid", "up"})),
    ):
        assert float((denoise(model, given, other) - expected).abs().max()) > 1e-3 * largest
    assert float((plain - expected).abs().max()) > 1e-3 * largest
    assert torch.equal(denoise(model, given), plain), "the model is whole again"


def test_coarse_grids_take_the_top_left_latent_cell():
    for height, width in ((8, 16), (4, 8), (2, 4), (1, 2)):
        scale = HEIGHT // height
        fine = ownership((SUBJECT,), Grid(FRAMES, HEIGHT, WIDTH))
        assert torch.equal(ownership((SUBJECT,), Grid(FRAMES, height, width)), fine[:, ::scale, ::scale])
    # Sides that do not halve evenly: a UNet rounds up.
    odd = replace(SUBJECT, corners_of=(9, 17))
    fine = ownership((odd,), Grid(FRAMES, 9, 17))
    for grid, scale in ((Grid(FRAMES, 5, 9), 2), (Grid(FRAMES, 3, 5), 4), (Grid(FRAMES, 2, 3), 8)):
        assert torch.equal(ownership((odd,), grid), fine[:, ::scale, ::scale])


def test_nobody_and_everybody_in_the_frame(model, given):
    """With no foreground the second temporal attention gives nothing; with foreground alone it is plain."""
    for corners in ((3, 3, 4, 4), (-0.1, -0.1, 1.1, 1.1)):
        path = BoxPath([(0, Box(*corners))], leaves_frame=True)
        inside = torch.from_numpy(path.to_grid(FRAMES, HEIGHT, WIDTH))
        emulated = Emulated(model.denoiser, inside, [2, 3])
        try:
            with torch.no_grad():
                expected = model.denoiser(given[0], 999, given[1], return_dict=False)[0]
        finally:
            emulated.undo()
        output = denoise(model, given, replace(RELEASED, subjects=(replace(SUBJECT, path=path),)))
        torch.testing.assert_close(output, expected, atol=1e-4 * float(expected.abs().max()), rtol=0)


def test_normalization_goes_beside_it(model, given):
    bare = denoise(model, given, RELEASED)
    normalized = denoise(model, given, replace(RELEASED, normalization=MaskNormalization()))
    assert torch.isfinite(normalized).all() and not torch.equal(bare, normalized)


def shot(model, prompt="a red ball over snow and red star", **settings):
    box = BoxTrajectory(phrase="red ball", path=PATH)
    return Shot(
        prompt=prompt, model=model.identity, frames=FRAMES, width=128, height=64, instructions=(box,),
        control=ControlSettings(frozen_steps=1, **settings),
    )  # fmt: skip


def test_planning_brings_it_about(model):
    planned = plan(shot(model, mask_variant="released", normalization="none"), model)
    control = next(one for one in planned.controls if isinstance(one, AttentionMask))
    assert control.variant == "released"
    assert control.sites == {"cross", "spatial", "temporal"} and control.parts >= {"mid", "up"}
    assert "down" not in control.parts
    subject = control.subjects[0]
    assert (subject.corners_of, subject.inset) == ((8, 16), 0.0)
    # The second "red" of the prompt has the same id.
    assert subject.tokens == (2, 3, 7)
    assert plan(shot(model, mask_variant="paper"), model).subjects[0].tokens == (2, 3)


def test_a_motion_adapters_positions_are_kept_for_blank_tokens(tmp_path):
    save_toy_model(tmp_path / "image", kind="image", vae="tiny")
    motion = load_model(
        str(save_toy_motion_model(tmp_path / "motion", tmp_path / "image", pictures=False)),
        device="cpu", precision="float32",
    )  # fmt: skip
    seconds = [site for site in motion.sites if site.second]
    assert seconds and all(site.kind == "temporal" and site.name.endswith("attn2") for site in seconds)
    planned = plan(shot(motion, mask_variant="released"), motion)
    caught = {}

    class Watch:
        def wants(self, site):
            return site.second and not caught

        def __call__(self, call):
            caught["blank"] = call.blank()

    latents = torch.randn(2, *motion.latent_shape(FRAMES, 64, 128))
    motion.denoise(latents, torch.tensor(999), planned.text, Watch())
    query = caught["blank"][0]
    assert query.shape[2] == FRAMES and not torch.allclose(query[:, :, 0], query[:, :, 1])


def test_a_transformer_refuses_it(tmp_path):
    from toy_models import save_toy_cogvideox

    model = load_model(
        str(save_toy_cogvideox(tmp_path / "cog", pictures=False)), device="cpu", precision="float32"
    )
    with pytest.raises(ShotError, match=r"control.mask_variant.*written for UNets"):
        plan(replace_size(shot(model, prompt="a red ball", mask_variant="released")), model)


def replace_size(one):
    return one.model_copy(update={"frames": 9, "width": 64, "height": 64})
