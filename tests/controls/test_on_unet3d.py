"""Controls on a real UNet3DConditionModel (toy size, random weights), through its family and the loop."""

from __future__ import annotations

import pytest
import torch
from attention_reference import moving, still

from rehearse.controls import (
    AttentionMask,
    CleanPrior,
    Conductor,
    MaskNormalization,
    Moment,
    NoisePrior,
    ShiftProbe,
    Subject,
    TrajectoryNoise,
)
from rehearse.sampling.loop import Loop
from rehearse.sampling.plan import Plan

SUBJECTS = (Subject("red ball", (2, 3), moving((0.0, 0.0, 0.5, 0.5), (0.5, 0.5, 1.0, 1.0))),)
KINDS = ("cross", "spatial", "temporal")
NOW = Moment(0, 4, 999.0)


@pytest.fixture(scope="module")
def latents():
    return torch.randn(2, 4, 4, 8, 8, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def text(video_model):
    return video_model.encode("a red ball moves right", "")


def denoise(model, latents, text, *controls):
    return model.denoise(latents, torch.tensor(999), text, Conductor(controls, NOW) if controls else None)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalization", [None, MaskNormalization("global"), MaskNormalization("regional")])
def test_each_kind_of_mask_changes_the_output(video_model, latents, text, kind, normalization):
    control = AttentionMask(
        SUBJECTS, 1, sites=frozenset({kind}), normalization=normalization, parts=frozenset({"mid", "up"})
    )
    plain, masked = denoise(video_model, latents, text), denoise(video_model, latents, text, control)
    assert torch.isfinite(masked).all()
    assert (masked - plain).abs().max() > 1e-4 * plain.abs().max()
    # Both guidance branches are masked.
    for branch in (0, 1):
        assert not torch.equal(masked[branch], plain[branch])


def test_a_mask_past_its_steps_or_on_other_parts_is_no_mask(video_model, latents, text):
    plain = denoise(video_model, latents, text)
    past = AttentionMask(
        SUBJECTS, 0, sites=frozenset({"cross", "spatial", "temporal"}), parts=frozenset({"mid", "up"})
    )
    elsewhere = AttentionMask(
        SUBJECTS, 1, parts=frozenset({"body"}), sites=frozenset({"cross", "spatial", "temporal"})
    )
    away = AttentionMask(
        (Subject("red ball", (), still(2, 2, 3, 3)),),
        1,
        blocked=(),
        sites=frozenset({"cross", "spatial", "temporal"}),
        parts=frozenset({"mid", "up"}),
    )
    for control in (past, elsewhere):
        assert torch.equal(denoise(video_model, latents, text, control), plain)
    # Nobody in the frame and no word taken: every site answers with plain attention.
    torch.testing.assert_close(denoise(video_model, latents, text, away), plain, rtol=1e-4, atol=1e-6)


def test_the_canonical_layout_of_the_real_model_fits_the_masks(video_model, latents, text):
    """At one masked cross site of the model, a subject's word moves the subject's pixels and no other."""
    captured = {}

    class Watch:
        def wants(self, site):
            return site.kind == "cross" and site.part == "up" and not captured

        def __call__(self, call):
            captured["call"] = call

    video_model.denoise(latents, torch.tensor(999), text, Watch())
    call = captured["call"]
    control = AttentionMask(
        SUBJECTS, 1, sites=frozenset({"cross", "spatial", "temporal"}), parts=frozenset({"mid", "up"})
    )
    before = control.attend(call, NOW)
    call.key, call.value = call.key.clone(), call.value.clone()
    call.key[:, :, 2:4] += 1.0
    call.value[:, :, 2:4] -= 1.0
    changed = (control.attend(call, NOW) != before).any(dim=2).view(2, call.grid.frames, -1)
    inside = torch.from_numpy(
        SUBJECTS[0].path.to_grid(call.grid.frames, call.grid.height, call.grid.width)
    ).flatten(1)
    assert torch.equal(changed, inside.expand_as(changed))


def test_probe_sees_every_masked_site(video_model, latents, text):
    probe = ShiftProbe()
    control = AttentionMask(
        SUBJECTS,
        1,
        normalization=MaskNormalization("global"),
        probe=probe,
        sites=frozenset({"cross", "spatial", "temporal"}),
        parts=frozenset({"mid", "up"}),
    )
    denoise(video_model, latents, text, control)
    expected = {site.name for site in video_model.sites if site.part in ("mid", "up") and site.kind in KINDS}
    assert {shift.site for shift in probe.shifts} <= expected
    assert {shift.kind for shift in probe.shifts} == set(KINDS)
    for shift in probe.shifts:
        assert shift.after <= 1e-3 * shift.before + 1e-9


def test_a_whole_take_with_all_controls_is_finite_different_and_repeatable(video_model, text):
    controls = (
        AttentionMask(
            SUBJECTS,
            3,
            normalization=MaskNormalization("regional", strength=0.5),
            sites=frozenset({"cross", "spatial", "temporal"}),
            parts=frozenset({"mid", "up"}),
        ),
        TrajectoryNoise(SUBJECTS),
        NoisePrior(SUBJECTS, 2, strength=0.8),
        CleanPrior(SUBJECTS, 2, strength=0.5),
    )
    size = {
        "frames": 4,
        "width": 64,
        "height": 64,
        "fps": 8,
        "steps": 3,
        "guidance": 3.0,
        "scheduler": "ddim",
    }

    def finish(*given):
        loop = Loop(video_model, Plan(**size, seed=5, text=text, controls=given))
        *_, last = loop.run(loop.start())
        return last.latents

    plain, first, second = finish(), finish(*controls), finish(*controls)
    assert torch.isfinite(first).all()
    assert torch.equal(first, second)
    assert (first - plain).abs().max() > 0.1
