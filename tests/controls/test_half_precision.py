"""Every control in bf16 and fp16, on ordinary features and on constant ones, against float64."""

from __future__ import annotations

import dataclasses

import pytest
import torch
from attention_reference import NOW, make_call, moving, still

from rehearse.controls import (
    AttentionMask,
    CleanPrior,
    MaskNormalization,
    NoisePrior,
    Subject,
    TrajectoryNoise,
)
from rehearse.controls.frame_alignment import FrameAlignment, FrameAlignmentLayer
from rehearse.controls.keep_outside import KeepOutside
from rehearse.controls.mark import Mark
from rehearse.controls.mask_normalization import Regions
from rehearse.controls.target_attention import TargetAttention
from rehearse.prediction import Prediction
from rehearse.sites import Grid

HALVES = [torch.bfloat16, torch.float16]
GRID = Grid(3, 8, 8)
# Of what is computed in a half format, relative to the largest value: a few roundings of its own.
NEAR = {torch.bfloat16: 0.04, torch.float16: 0.006}

MOVING = Subject("ball", (2,), moving((0.0, 0.0, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0)))
EVERYWHERE = Subject("ball", (2,), still(-0.1, -0.1, 1.1, 1.1))


def assert_near(output, expected, dtype):
    assert output.dtype == dtype
    assert torch.isfinite(output).all()
    largest = float(expected.abs().max())
    torch.testing.assert_close(output.double(), expected.double(), atol=NEAR[dtype] * largest, rtol=0)


def features(kind: str, seed: int, shape=(2, 64, 5)) -> torch.Tensor:
    """Attention outputs, float64: "normal"; "far", whose mean is large beside what varies; "constant"; a
    constant with one "flicker", as rounding leaves it."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(shape, generator=generator, dtype=torch.float64)
    centre = torch.randn(shape[0], 1, shape[2], generator=generator, dtype=torch.float64)
    if kind == "normal":
        return drawn + centre
    if kind == "far":
        return 0.5 * drawn + 20.0 * centre.sign()
    flat = (7.3 * centre).expand(shape).clone()
    if kind == "flicker":
        flat[:, ::3] *= 1 + 2**-8
    return flat


def formula(a, u, inside, variant, strength):
    """The formulas of MN-A and MN-B in float64, deviations within rounding counted as none."""
    whole = torch.ones_like(inside)

    def moments(x, index, region):
        own = x[index][region]
        n = int(region.sum())
        keep = 32 / (n + 32) if variant == "regional" else 0.0
        mean = (1 - keep) * own.mean(0) + keep * x[index].mean(0)
        return mean, (1 - keep) * own.std(0, correction=0) + keep * x[index].std(0, correction=0)

    out = torch.empty_like(a)
    for index in range(len(a)):
        for region in [inside[index], ~inside[index]] if variant == "regional" else [whole[index]]:
            if not region.any():
                continue
            (mean_a, std_a), (mean_u, std_u) = moments(a, index, region), moments(u, index, region)
            varies = std_a > 0.004 * mean_a.abs()
            y = mean_u + varies * std_u * (a[index][region] - mean_a) / std_a.clamp(min=1e-9)
            out[index][region] = a[index][region] + strength * (y - a[index][region])
    return out


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("variant", ["global", "regional"])
@pytest.mark.parametrize("strength", [1.0, 0.4])
@pytest.mark.parametrize("masked", ["normal", "constant"])
@pytest.mark.parametrize("unmasked", ["normal", "far", "constant"])
def test_normalization_is_its_formula(dtype, variant, strength, masked, unmasked):
    a, u = features(masked, 1).to(dtype), features(unmasked, 2).to(dtype)
    inside = torch.rand(a.shape[:2], generator=torch.Generator().manual_seed(3)) < 0.3
    y = MaskNormalization(variant, strength=strength)(a, u, Regions.of(inside))
    assert_near(y, formula(a.double(), u.double(), inside, variant, strength), dtype)


@pytest.mark.parametrize("dtype", [*HALVES, torch.float32])
@pytest.mark.parametrize("variant", ["global", "regional"])
@pytest.mark.parametrize("size", [0.0, 1e-4, 1.0, 300.0])
def test_rounding_of_a_constant_is_not_amplified(dtype, variant, size):
    """Where all pixels see one word the mean of the unmasked output is due, not noise of its spread."""
    u = (features("normal", 5) * max(size, 1e-3)).to(dtype)
    a = (size * features("constant", 4)).to(dtype)
    where = Regions.of(torch.ones(a.shape[:2], dtype=torch.bool))
    largest = torch.finfo(dtype).eps * u.abs().max()
    for masked in (a, torch.where(torch.arange(64)[:, None] % 3 == 0, torch.nextafter(a, 2 * a), a)):
        y = MaskNormalization(variant)(masked, u, where).double()
        mean = u.double().mean(1, keepdim=True)
        torch.testing.assert_close(y, mean.expand_as(y), atol=float(4 * largest), rtol=0)


@pytest.mark.parametrize("dtype", HALVES)
def test_a_mean_far_from_zero_does_not_swallow_the_rest(dtype):
    """Gain times mean is thousands of times what is left of it: rounded apart, the two do not cancel."""
    a = (1000.0 + 20.0 * features("normal", 6)).to(dtype)
    u = features("normal", 7).to(dtype)
    y = MaskNormalization("global")(a, u, Regions.of(torch.zeros(a.shape[:2], dtype=torch.bool)))
    expected = formula(a.double(), u.double(), torch.zeros(a.shape[:2], dtype=torch.bool), "global", 1.0)
    torch.testing.assert_close(y.double(), expected, atol=0.06, rtol=0)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("subject", [MOVING, EVERYWHERE], ids=["moving", "everywhere"])
@pytest.mark.parametrize("kind", ["cross", "spatial", "temporal", "joint"])
@pytest.mark.parametrize("variant", [None, "global", "regional"])
@pytest.mark.parametrize("constant", [False, True])
def test_attention_masks(dtype, subject, kind, variant, constant):
    normalization = None if variant is None else MaskNormalization(variant)
    joint = {"sites": frozenset({"joint"}), "parts": frozenset({"body"})}
    unet = {"sites": frozenset({"cross", "spatial", "temporal"}), "parts": frozenset({"mid", "up"})}
    places = joint if kind == "joint" else unet
    control = AttentionMask((subject,), 1, normalization=normalization, **places)
    text = slice(0, 9) if kind == "joint" else None

    def call(of):
        made = make_call(kind, GRID, text=text, part="body" if kind == "joint" else "up")
        pixels = 9 if kind == "joint" else 0
        if constant:
            made.query[:, :, pixels:] = made.query[:, :, pixels : pixels + 1]
            if kind != "cross":
                for x in (made.key, made.value):
                    x[:, :, pixels:] = x[:, :, pixels : pixels + 1]
        project = made.project
        half = [x.to(dtype).to(of) for x in (made.query, made.key, made.value)]
        return dataclasses.replace(
            made, query=half[0], key=half[1], value=half[2], project=lambda x: project(x.double()).to(of)
        )

    output, expected = control.attend(call(dtype), NOW), control.attend(call(torch.float64), NOW)
    if expected is None:
        assert output is None
    else:
        assert_near(output, expected, dtype)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("strength", [0.5, 4.0, 1e6])
@pytest.mark.parametrize("constant", [False, True])
def test_target_attention(dtype, strength, constant):
    mask = torch.zeros(32, 32)
    mask[:12, :12] = 1.0
    control = TargetAttention((Mark((2, 3), mask),), strength, 1)

    def call(of):
        made = make_call("joint", GRID, text=slice(0, 9), part="body")
        project = made.project
        query = made.query[:, :, :1].expand_as(made.query) if constant else made.query
        half = [x.to(dtype).to(of) for x in (query, made.key, made.value)]
        return dataclasses.replace(
            made, query=half[0], key=half[1], value=half[2], project=lambda x: project(x.double()).to(of)
        )

    assert_near(control.attend(call(dtype), NOW), control.attend(call(torch.float64), NOW), dtype)


def latents(kind: str, seed: int) -> torch.Tensor:
    drawn = torch.randn(1, 4, 3, 8, 8, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    if kind == "normal":
        return drawn
    return torch.zeros_like(drawn) if kind == "zero" else drawn[:, :, :1, :1, :1].expand_as(drawn) * 3.0


def layer() -> FrameAlignmentLayer:
    torch.manual_seed(0)
    made = FrameAlignmentLayer(4)
    torch.nn.init.normal_(made.conv.weight, std=0.2)
    return made


PICTURE = latents("normal", 9).float()
ON_LATENTS = {
    "noise prior": NoisePrior((MOVING,), 4, strength=0.8),
    "clean prior": CleanPrior((MOVING,), 4, strength=0.5),
    "smoothed clean prior": CleanPrior((MOVING,), 4, smoothing=0.3, strength=0.5),
    "clean prior everywhere": CleanPrior((EVERYWHERE,), 4, strength=0.5),
    "noise prior everywhere": NoisePrior((EVERYWHERE,), 4, strength=1.0),
    "frame alignment": FrameAlignment(layer(), PICTURE[:, :, :1]),
    "keep outside": KeepOutside(PICTURE, (torch.arange(8) < 4).float().expand(8, 8)),
}


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("name", ON_LATENTS)
@pytest.mark.parametrize("kind", ["normal", "constant", "zero"])
def test_controls_on_the_prediction(dtype, name, kind):
    control = ON_LATENTS[name]

    def seen(of):
        z, x0, noise = (latents(kind, seed).to(dtype).to(of) for seed in (1, 2, 3))
        return control.predict(Prediction(z, x0, noise, 0.6, 0.8), NOW)

    half, exact = seen(dtype), seen(torch.float64)
    for field in ("latents", "x0", "noise"):
        assert_near(getattr(half, field), getattr(exact, field), dtype)


@pytest.mark.parametrize("dtype", HALVES)
@pytest.mark.parametrize("control", [NoisePrior((MOVING,), 4, strength=0.8), TrajectoryNoise((MOVING,))])
@pytest.mark.parametrize("kind", ["normal", "constant", "zero"])
def test_controls_on_the_starting_noise(dtype, control, kind):
    def started(of):
        return control.prepare(latents(kind, 1).to(dtype).to(of), torch.Generator().manual_seed(4))

    assert_near(started(dtype), started(torch.float64), dtype)


@pytest.mark.parametrize("kind", ["normal", "constant"])
def test_a_nearly_constant_channel_of_noise_stays_bounded(kind):
    noise = (100.0 + 1e-5 * latents(kind, 1)).float()
    shared = NoisePrior((EVERYWHERE,), 4, strength=1.0).prepare(noise, torch.Generator())
    assert torch.isfinite(shared).all()
    assert float((shared - noise).abs().max()) < 0.01
