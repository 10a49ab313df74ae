"""Mask normalization against its formulas, and the diagnostic."""

from __future__ import annotations

import pytest
import torch
from attention_reference import NOW, make_call, moving, still

from rehearse.controls import AttentionMask, MaskNormalization, ShiftProbe, Subject
from rehearse.controls import mask_normalization as module
from rehearse.controls.mask_normalization import Regions, moments
from rehearse.controls.shift_probe import statistics_distance
from rehearse.sites import Grid


@pytest.fixture
def outputs():
    generator = torch.Generator().manual_seed(3)
    a = torch.randn(4, 50, 7, generator=generator) * 2.0 + 5.0
    u = torch.randn(4, 50, 7, generator=generator) * 0.5 - torch.arange(7.0)
    inside = torch.rand(4, 50, generator=generator) < 0.3
    inside[2] = False
    inside[3] = True
    return a, u, inside


def test_global_takes_over_mean_and_deviation(outputs):
    a, u, inside = outputs
    y = MaskNormalization("global")(a, u, Regions.of(inside))
    torch.testing.assert_close(y.mean(1), u.mean(1), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(y.std(1), u.std(1), atol=1e-4, rtol=1e-4)


def test_strength_is_a_straight_line_from_masked_to_normalized(outputs):
    a, u, inside = outputs
    where = Regions.of(inside)
    for variant in ("global", "regional"):
        full = MaskNormalization(variant)(a, u, where)
        half = MaskNormalization(variant, strength=0.25)(a, u, where)
        torch.testing.assert_close(half, a + 0.25 * (full - a), atol=1e-4, rtol=1e-4)
        assert MaskNormalization(variant, strength=0.0)(a, u, where) is a


def test_regional_follows_its_formula(outputs):
    a, u, inside = outputs
    y = MaskNormalization("regional")(a, u, Regions.of(inside))
    for index in range(len(a)):
        for region in (inside[index], ~inside[index]):
            n = int(region.sum())
            if n == 0:
                continue
            keep = 32 / (n + 32)

            def shrunk(x, region=region, keep=keep):
                own, whole = x[region], x
                mean = (1 - keep) * own.mean(0) + keep * whole.mean(0)
                std = (1 - keep) * own.std(0, correction=0) + keep * whole.std(0, correction=0)
                return mean, std

            (mean_a, std_a), (mean_u, std_u) = shrunk(a[index]), shrunk(u[index])
            expected = mean_u + std_u * (a[index][region] - mean_a) / (std_a + 1e-5 * std_u)
            torch.testing.assert_close(y[index][region], expected, atol=1e-4, rtol=1e-4)


def test_one_region_everywhere_is_the_global_variant(outputs):
    a, u, _ = outputs
    for inside in (torch.zeros(4, 50, dtype=torch.bool), torch.ones(4, 50, dtype=torch.bool)):
        where = Regions.of(inside)
        expected = MaskNormalization("global")(a, u, where)
        torch.testing.assert_close(MaskNormalization("regional")(a, u, where), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("variant", ["global", "regional"])
def test_working_in_pieces_changes_nothing(outputs, variant, monkeypatch):
    a, u, inside = outputs
    where = Regions.of(inside)
    expected = MaskNormalization(variant)(a, u, where)
    monkeypatch.setattr(module, "_CHUNK", 1)
    torch.testing.assert_close(MaskNormalization(variant)(a, u, where), expected)


def test_statistics_are_kept_in_fp32_under_half_precision():
    """A mean far from zero: in bf16 its deviations would drown."""
    x = (torch.randn(2, 4000, 3, generator=torch.Generator().manual_seed(0)) + 40.0).bfloat16()
    mean, std = moments(x)
    assert mean.dtype == std.dtype == torch.float32
    torch.testing.assert_close(mean[:, 0], x.double().mean(1).float(), atol=1e-3, rtol=0)
    torch.testing.assert_close(std[:, 0], x.double().std(1, correction=0).float(), atol=1e-3, rtol=0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        y = MaskNormalization("regional")(x, x, Regions.of(torch.rand(2, 4000) < 0.5))
    assert y.dtype == torch.bfloat16
    torch.testing.assert_close(y.float(), x.float(), atol=0.5, rtol=0)


def test_inputs_are_left_alone(outputs):
    a, u, inside = outputs
    before = a.clone(), u.clone()
    for variant in ("global", "regional"):
        MaskNormalization(variant)(a, u, Regions.of(inside))
        MaskNormalization(variant)(a.double(), u.double(), Regions.of(inside))
    assert torch.equal(a, before[0]) and torch.equal(u, before[1])


def test_constant_channels_stay_finite():
    a, u = torch.full((2, 9, 3), 1.5), torch.full((2, 9, 3), -2.0)
    for variant in ("global", "regional"):
        y = MaskNormalization(variant)(a, u, Regions.of(torch.rand(2, 9) < 0.5))
        torch.testing.assert_close(y, u)


def test_acts_at_its_sites_only():
    subjects = (Subject("ball", (2,), moving((0, 0, 0.4, 0.5), (0.5, 0.5, 1, 1))),)
    grid = Grid(3, 5, 5)
    bare = AttentionMask(
        subjects, 1, sites=frozenset({"cross", "spatial", "temporal"}), parts=frozenset({"mid", "up"})
    )
    some = AttentionMask(
        subjects,
        1,
        normalization=MaskNormalization(sites=frozenset({"cross"})),
        sites=frozenset({"cross", "spatial", "temporal"}),
        parts=frozenset({"mid", "up"}),
    )
    for kind in ("spatial", "temporal"):
        call = make_call(kind, grid, dtype=torch.float32)
        torch.testing.assert_close(some.attend(call, NOW), bare.attend(call, NOW))
    call = make_call("cross", grid, dtype=torch.float32)
    assert (some.attend(call, NOW) - bare.attend(call, NOW)).abs().max() > 0.01


def test_the_prompt_tokens_of_a_joint_site_are_not_normalized():
    subjects = (Subject("ball", (2,), still(0, 0, 0.4, 0.5)),)
    call = make_call("joint", Grid(2, 4, 4), text=slice(0, 9), part="body")
    settings = {"sites": frozenset({"joint"}), "parts": frozenset({"body"})}
    bare = AttentionMask(subjects, 1, **settings).attend(call, NOW)
    normal = AttentionMask(subjects, 1, **settings, normalization=MaskNormalization()).attend(call, NOW)
    torch.testing.assert_close(normal[:, :9], bare[:, :9])
    torch.testing.assert_close(normal[:, :9], call.plain()[:, :9])
    assert (normal[:, 9:] - bare[:, 9:]).abs().max() > 0.01


def test_probe_measures_the_shift_and_changes_nothing():
    subjects = (Subject("ball", (2,), moving((0, 0, 0.4, 0.5), (0.5, 0.5, 1, 1))),)
    probe = ShiftProbe()
    bare_probe = ShiftProbe()
    normalization = MaskNormalization("global")
    for kind in ("spatial", "cross", "temporal"):
        call = make_call(kind, Grid(3, 5, 5))
        with_probe = AttentionMask(
            subjects,
            1,
            normalization=normalization,
            probe=probe,
            sites=frozenset({"cross", "spatial", "temporal"}),
            parts=frozenset({"mid", "up"}),
        ).attend(call, NOW)
        without = AttentionMask(
            subjects,
            1,
            normalization=normalization,
            sites=frozenset({"cross", "spatial", "temporal"}),
            parts=frozenset({"mid", "up"}),
        ).attend(call, NOW)
        torch.testing.assert_close(with_probe, without)
        bare = AttentionMask(
            subjects,
            1,
            probe=bare_probe,
            sites=frozenset({"cross", "spatial", "temporal"}),
            parts=frozenset({"mid", "up"}),
        ).attend(call, NOW)
        torch.testing.assert_close(
            bare,
            AttentionMask(
                subjects, 1, sites=frozenset({"cross", "spatial", "temporal"}), parts=frozenset({"mid", "up"})
            ).attend(call, NOW),
        )
    assert [(s.step, s.kind, s.site) for s in probe.shifts] == [
        (0, kind, f"{kind} site") for kind in ("spatial", "cross", "temporal")
    ]
    for shift, bare_shift in zip(probe.shifts, bare_probe.shifts, strict=True):
        assert shift.before > 0.01 and shift.after < 1e-6
        assert bare_shift.before == bare_shift.after == pytest.approx(shift.before)


def test_distance_is_the_sum_over_channels_of_both_differences():
    u = torch.tensor([[[-1.0, -2.0], [1.0, 2.0]]])
    y = u * torch.tensor([1.0, 2.0]) + torch.tensor([3.0, 0.0])
    assert statistics_distance(y, u) == pytest.approx(3.0**2 + 2.0**2)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"variant": "local"}, "variant: 'local'.*'global' or 'regional'"),
        ({"strength": 1.5}, r"strength: 1.5 is outside \[0, 1\]"),
        ({"strength": float("nan")}, "strength: nan"),
        ({"eps": 0.0}, "eps: 0.0 must be above 0"),
    ],
)
def test_bad_input_names_the_field(settings, words):
    with pytest.raises(ValueError, match=words):
        MaskNormalization(**settings)
