"""Masked attention against the rule written out token by token."""

from __future__ import annotations

import pytest
import torch
from attention_reference import NOW, allowed, casts, dense, make_call, moving, still
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearse.controls import AttentionMask, MaskNormalization, Moment, Subject
from rehearse.controls import small_mask as small
from rehearse.controls.grouped_attention import attend_by_groups
from rehearse.controls.token_groups import cross_groups, joint_groups, spatial_groups, text_sight
from rehearse.sites import Grid, Site

CPU = torch.device("cpu")
EVERYWHERE = frozenset({"cross", "spatial", "temporal", "joint"})
GRID = Grid(3, 4, 5)
KINDS = ("cross", "spatial", "temporal", "joint")


def text_of(kind, tokens=9):
    return slice(0, tokens) if kind == "joint" else None


def mask(subjects, **settings):
    return AttentionMask(subjects, 2, **{"sites": EVERYWHERE, "parts": frozenset({"mid", "up"}), **settings})


def use_masks(patch, masks):
    """Choose between the two ways of computing: small masks, or groups."""
    patch.setattr("rehearse.controls.attention_mask.is_small", lambda call, unmasked: masks)


def assert_follows_the_rule(call, subjects):
    """Both ways of computing it: small masks and groups."""
    expected = dense(call, allowed(call, subjects))
    for masks in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            use_masks(patch, masks)
            output = mask(subjects).attend(call, NOW)
        torch.testing.assert_close(call.plain() if output is None else output, expected)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(subjects=casts(least=0), clips=st.integers(1, 2), seed=st.integers(0, 99))
def test_any_boxes(kind, subjects, clips, seed):
    call = make_call(kind, GRID, clips=clips, text=text_of(kind), seed=seed)
    if subjects:
        assert_follows_the_rule(call, subjects)
    else:
        assert mask(subjects).attend(call, NOW) is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "paths",
    [
        pytest.param([still(0, 0, 1, 1)], id="whole frame"),
        pytest.param([still(1.5, 0.1, 2.0, 0.5)], id="never in the frame"),
        pytest.param([moving((0.3, 0.3, 0.6, 0.6), (1.2, 0.3, 1.5, 0.6))], id="leaves the frame"),
        pytest.param([still(0.52, 0.52, 0.54, 0.54)], id="smaller than a token"),
        pytest.param([still(0.1, 0.1, 0.8, 0.8), still(0.3, 0.3, 1, 1), still(0, 0, 0.5, 0.5)], id="overlap"),
        pytest.param([still(0, 0, 1, 1), still(0, 0, 1, 1)], id="one hides the other"),
    ],
)
def test_hard_boxes(kind, paths):
    subjects = tuple(Subject(f"s{i}", (1 + i,), path, depth=i) for i, path in enumerate(paths))
    assert_follows_the_rule(make_call(kind, GRID, text=text_of(kind)), subjects)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("normalization", [None, MaskNormalization("global")])
def test_a_site_may_have_a_scale_of_its_own(kind, normalization):
    subjects = (Subject("ball", (1, 2), moving((0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1))),)
    for masks in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            use_masks(patch, masks)
            call = make_call(kind, GRID, text=text_of(kind))
            call.query = call.query * 0.4
            expected = mask(subjects, normalization=normalization).attend(call, NOW)
            call = make_call(kind, GRID, text=text_of(kind))
            call.scale = 0.4 * 4**-0.5
            torch.testing.assert_close(
                mask(subjects, normalization=normalization).attend(call, NOW), expected
            )


def test_a_joint_site_with_the_text_last_or_without_text():
    subjects = (Subject("ball", (1, 2), moving((0, 0, 0.5, 0.5), (0.5, 0.5, 1, 1))),)
    video = GRID.frames * GRID.area
    assert_follows_the_rule(make_call("joint", GRID, text=slice(video, video + 9)), subjects)
    assert_follows_the_rule(make_call("joint", GRID, tokens=0), subjects)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(subjects=casts(), seed=st.integers(0, 99))
def test_masked_and_unmasked_output_together(kind, subjects, seed):
    """Both are seen only through MN-A, here written out beside them."""
    call = make_call(kind, GRID, text=text_of(kind), seed=seed)
    sees = allowed(call, subjects)
    if sees.all():
        return
    a, u = dense(call, sees), call.plain()
    normalization = MaskNormalization("global", strength=0.7)
    expected = plain_mask_normalization(call, a, u, normalization)
    for masks in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            use_masks(patch, masks)
            output = mask(subjects, normalization=normalization).attend(call, NOW)
        torch.testing.assert_close(output, expected, rtol=1e-5, atol=1e-6)


def plain_mask_normalization(call, a, u, normalization):
    """MN-A as the formula reads, one frame (or at temporal sites one clip) and one channel at a time."""
    samples, grid, kind = call.branches * call.clips, call.grid, call.site.kind
    out = a.clone()
    if kind == "joint":
        pixels = slice(call.text.stop, None)
        views = [x[:, pixels].reshape(samples * grid.frames, grid.area, -1) for x in (a, u)]
    else:
        sets = samples if kind == "temporal" else samples * grid.frames
        views = [x.reshape(sets, -1, x.shape[-1]) for x in (a, u)]
    rows = []
    for each_a, each_u in zip(*views, strict=True):
        channels = []
        for x, y in zip(each_a.T, each_u.T, strict=True):
            spread = y.std(correction=0)
            aligned = y.mean() + spread * (x - x.mean()) / (x.std(correction=0) + normalization.eps * spread)
            channels.append(x + normalization.strength * (aligned - x))
        rows.append(torch.stack(channels, dim=1))
    y = torch.stack(rows)
    if kind == "joint":
        out[:, pixels] = y.reshape(samples, -1, y.shape[-1])
        return out
    return y.reshape(a.shape)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_partial_outputs_merge_to_the_unmasked_one(dtype):
    """The log-sum-exp merge, in the dtypes that models run in, with large logits."""
    grid = Grid(4, 8, 8)
    subjects = (
        Subject("ball", (1, 2), moving((0, 0, 0.3, 0.4), (0.6, 0.5, 1.1, 0.9))),
        Subject("car", (4,), moving((0.5, 0, 0.9, 0.3), (0, 0.4, 0.3, 0.9)), depth=1),
    )
    for kind, grouping in (
        ("spatial", spatial_groups(subjects, grid, 2, CPU)),
        ("cross", cross_groups(subjects, grid, 9, (0,), 2, CPU)),
        ("joint", joint_groups(subjects, grid, 9 + 256, (0, 9), (0,), 2, CPU)),
    ):
        call = make_call(kind, grid, dtype=dtype, text=text_of(kind))
        call.query = (call.query.transpose(1, 2) * 4).transpose(1, 2)
        exact = make_call(kind, grid, text=text_of(kind))
        exact.query, exact.key, exact.value = (x.double() for x in (call.query, call.key, call.value))
        masked, whole = attend_by_groups(call, grouping, unmasked=True)
        tolerance = {"rtol": 2e-5, "atol": 2e-5} if dtype == torch.float32 else {"rtol": 0.04, "atol": 0.04}
        torch.testing.assert_close(exact.project(whole.double()), exact.plain(), **tolerance)
        expected = dense(exact, allowed(exact, subjects))
        torch.testing.assert_close(exact.project(masked.double()), expected, **tolerance)


def test_the_way_without_normalisers_agrees():
    """Other devices, and anything that needs a gradient, attend twice."""
    subjects = (Subject("ball", (1,), still(0, 0, 0.5, 0.6)),)
    call = make_call("spatial", GRID)
    grouping = spatial_groups(subjects, GRID, 2, CPU)
    fast = attend_by_groups(call, grouping, unmasked=True)
    call.query = call.query.clone().requires_grad_()
    slow = attend_by_groups(call, grouping, unmasked=True)
    for x, y in zip(fast, slow, strict=True):
        torch.testing.assert_close(x, y)
    slow[1].sum().backward()
    gradient = call.query.grad.clone()
    call.query.grad = None
    torch.nn.functional.scaled_dot_product_attention(call.query, call.key, call.value).sum().backward()
    torch.testing.assert_close(gradient, call.query.grad)


def test_a_table_too_large_to_keep_gives_the_same(monkeypatch):
    subjects = (Subject("ball", (1,), moving((0, 0, 0.5, 0.6), (0.5, 0, 1, 0.6))),)
    control = mask(subjects, normalization=MaskNormalization())
    calls = [make_call(kind, GRID) for kind in ("spatial", "cross", "temporal")]
    kept = [control.attend(call, NOW) for call in calls]
    monkeypatch.setattr(small, "_MOST_LOGITS", 0)
    for call, expected in zip(calls, kept, strict=True):
        torch.testing.assert_close(control.attend(call, NOW), expected)


def test_a_word_of_the_subject_never_reaches_the_background():
    """Not by one bit: and the background's words never reach the subject."""
    grid = Grid(2, 6, 6)
    subjects = (Subject("ball", (3, 4), still(0, 0, 0.5, 0.5)),)
    owner = (
        torch.zeros(2, 6, 6, dtype=torch.bool).index_fill_(1, torch.arange(3), True) & (torch.arange(6) < 3)
    ).flatten(1)
    for masks in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            use_masks(patch, masks)
            for token, reached in ((3, owner), (6, ~owner), (0, torch.zeros_like(owner))):
                call = make_call("cross", grid, dtype=torch.float32)
                before = mask(subjects).attend(call, NOW)
                call.key = call.key.clone()
                call.value = call.value.clone()
                call.key[:, :, token] += 3.0
                call.value[:, :, token] -= 2.0
                changed = (mask(subjects).attend(call, NOW) != before).any(dim=2)
                assert torch.equal(changed, reached.repeat(2, 1))


def test_the_gradient_of_background_pixels_by_subject_words_is_zero():
    subjects = (Subject("ball", (3,), still(0, 0, 0.5, 0.5)),)
    call = make_call("cross", Grid(1, 4, 4))
    call.key = call.key.clone().requires_grad_()
    output = mask(subjects, normalization=MaskNormalization("regional", strength=0.0)).attend(call, NOW)
    output[:, 15].sum().backward()
    assert torch.all(call.key.grad[:, :, [0, 3]] == 0)
    assert torch.all(call.key.grad[:, :, [1, 2, 4, 5, 6, 7, 8]] != 0)


def test_begin_of_text_may_stay_visible():
    subjects = (Subject("ball", (3,), still(0, 0, 0.5, 0.5)),)
    call = make_call("cross", GRID)
    expected = dense(call, allowed(call, subjects, blocked=()))
    torch.testing.assert_close(mask(subjects, blocked=()).attend(call, NOW), expected)


def test_an_owner_without_words_sees_all_words():
    wordless = (Subject("ball", (), still(0, 0, 0.5, 0.5)),)
    assert text_sight(wordless, 4, (0,)).tolist() == [[False, True, True, True], [True] * 4]
    takes_all = (Subject("all", (0, 1, 2, 3), still(0, 0, 0.5, 0.5)),)
    assert text_sight(takes_all, 4, (0,)).tolist() == [[True] * 4, [True] * 4]


def test_wants_only_its_steps_sites_and_parts():
    control = AttentionMask(
        (Subject("ball", (1,), still(0, 0, 0.5, 0.5)),),
        2,
        sites=frozenset({"cross", "spatial", "temporal"}),
        parts=frozenset({"mid", "up"}),
    )

    def wants(kind, part, step=0):
        return control.wants(Site("s", kind, part, 2), Moment(step, 10, 0.0))

    assert wants("cross", "mid") and wants("spatial", "up") and wants("temporal", "up", step=1)
    assert not wants("cross", "down") and not wants("joint", "up") and not wants("cross", "up", step=2)
    assert control.attend(make_call("spatial", GRID), Moment(2, 10, 0.0)) is None
    assert not AttentionMask(
        (), 2, sites=frozenset({"cross", "spatial", "temporal"}), parts=frozenset({"mid", "up"})
    ).wants(Site("s", "cross", "up", 2), NOW)


def test_works_under_inference_mode_then_with_gradients():
    """Cached indices made inside inference mode must serve outside of it."""
    subjects = (Subject("ball", (1,), still(0.013, 0, 0.517, 0.6)),)
    call = make_call("spatial", GRID)
    with torch.inference_mode():
        first = mask(subjects).attend(call, NOW)
    call.value = call.value.clone().requires_grad_()
    second = mask(subjects).attend(call, NOW)
    second.sum().backward()
    torch.testing.assert_close(second.detach(), first.clone())


def test_large_sites_go_by_groups_and_small_ones_by_masks():
    def small_at(kind, *size, unmasked):
        return small.is_small(make_call(kind, Grid(1, *size), branches=1), unmasked=unmasked)

    assert small_at("spatial", 8, 8, unmasked=True) and small_at("spatial", 16, 16, unmasked=False)
    assert not small_at("spatial", 16, 16, unmasked=True) and not small_at("spatial", 20, 36, unmasked=False)
    assert small_at("cross", 40, 72, unmasked=True)


def test_bad_input_names_the_field():
    subject = Subject("red ball", (12,), still(0, 0, 0.5, 0.5))
    with pytest.raises(ValueError, match=r"'red ball'.*12.*among the 9"):
        mask((subject,)).attend(make_call("cross", GRID), NOW)
    with pytest.raises(ValueError, match="frozen_steps: -1"):
        AttentionMask(
            (subject,), -1, sites=frozenset({"cross", "spatial", "temporal"}), parts=frozenset({"mid", "up"})
        )
    with pytest.raises(ValueError, match=r"joint site.*3 x 4 x 5"):
        mask((Subject("ball", (1,), still(0, 0, 1, 0.5)),)).attend(
            make_call("joint", GRID, text=slice(0, 3)), NOW
        )
