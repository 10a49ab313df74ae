"""The intermediate picture on a real (toy) image model: image, content and drag instructions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from rehearse.models.model import VideoModel
from rehearse.pictures import Intermediate, PictureCache, PictureStep, make_intermediate
from rehearse.pictures.drags import as_warp
from rehearse.pictures.warp import cut
from rehearse.resolve.instructions.pictures import picture_of
from rehearse.sampling.loop import Cancelled
from rehearse.shot import Box, ContentInstruction, DragMove, DragTrajectory, Mask, Shot, ShotError, Stroke

SIZE = 64
PICTURE = np.random.default_rng(3).integers(0, 256, (SIZE, SIZE, 3), dtype=np.uint8)
SHOT = Shot("a red ball over the meadow", seed=7)
STROKE = Stroke([(0.2, 0.3), (0.6, 0.5)], width=0.2, colour="#20c040")
Make = Callable[..., Intermediate]


def smooth() -> NDArray[np.uint8]:
    """A disc on a ramp: something to drag."""
    y, x = np.mgrid[:SIZE, :SIZE]
    picture = np.stack([x * 2 + 60, y * 2 + 60, np.full_like(x, 90)], axis=2)
    picture[(x - 20) ** 2 + (y - 32) ** 2 <= 81] = (220, 40, 40)
    return picture.astype(np.uint8)


@pytest.fixture
def make(image_model: VideoModel) -> Make:
    """Make an intermediate picture with a cache of its own, unless one is given."""

    def call(shot: Shot, **options: Any) -> Intermediate:
        options.setdefault("cache", PictureCache())
        return make_intermediate(picture_of(shot, SIZE, SIZE), image_model, **options)

    return call


def drawn(make: Make, shot: Shot, **options: Any) -> list[PictureStep]:
    """The steps that making a picture takes."""
    steps: list[PictureStep] = []
    make(shot, on_step=steps.append, **options)
    return steps


def test_a_given_picture_is_kept_as_it_is_and_costs_nothing(make: Make) -> None:
    for strength in (None, 1.0):
        shot = SHOT.image(PICTURE, strength=strength)
        made = make(shot)
        assert (made.original == PICTURE).all()
        assert made.edited is made.original
        assert not made.touched.any()
        assert made.touched.shape == (SIZE, SIZE)
        assert drawn(make, shot) == []


def test_without_a_picture_the_prompt_draws_it_by_the_seed(make: Make) -> None:
    first = make(SHOT).original
    assert first.shape == (SIZE, SIZE, 3)
    assert (make(SHOT).original == first).all()
    assert (make(SHOT.with_seed(8)).original != first).any()
    assert (make(SHOT.with_(prompt="a blue car")).original != first).any()
    assert (make(SHOT.image(PICTURE, strength=0)).original == first).all()


def test_from_words_it_is_the_picture_that_generate_makes(make: Make, image_model: VideoModel) -> None:
    import rehearse

    clip = rehearse.generate(SHOT.with_(frames=1), model=image_model)
    assert (make(SHOT).original == clip.frames[0]).all()
    assert (np.asarray(rehearse.picture(SHOT, model=image_model)) == clip.frames[0]).all()


def test_strength_says_how_many_steps_are_run(make: Make, image_model: VideoModel) -> None:
    steps = image_model.defaults.steps
    for strength, count in ((0.0, 0), (0.01, 1), (0.5, steps // 2), (1.0, steps)):
        shot = SHOT.image(PICTURE).edit("a blue car", strength=strength)
        said = drawn(make, shot)
        assert [step.step for step in said] == list(range(1, count + 1))
        assert all(step.steps == count and step.stage == "instructions[1]" for step in said)
        assert bool((make(shot).original != PICTURE).any()) == (count > 0)
    kept = SHOT.image(PICTURE, strength=0.25)
    assert len(drawn(make, kept)) == round(0.75 * steps)


def test_previews_are_pictures(make: Make) -> None:
    (step,) = drawn(make, SHOT.image(PICTURE).edit("a blue car", strength=0.1))
    assert step.preview.shape == (1, SIZE // 8, SIZE // 8, 3)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.floats(0.02, 0.98), st.floats(0.02, 0.98)), min_size=1, max_size=4),
    st.floats(0.02, 0.5),
    st.one_of(st.none(), st.floats(0, 0.5)),
    st.booleans(),
    st.sampled_from([None, 0.0, 0.3, 1.0]),
)
def test_outside_the_mask_every_pixel_stays(
    make: Make,
    points: list[tuple[float, float]],
    width: float,
    feather: float | None,
    painted: bool,
    strength: float | None,
) -> None:
    mask = Mask(strokes=(Stroke(points, width=width),))
    shot = SHOT.image(PICTURE).add(
        ContentInstruction(
            prompt="a blue car", mask=mask, feather=feather, strength=strength,
            strokes=(STROKE,) if painted else (),
        )
    )  # fmt: skip
    made = make(shot).original
    outside = mask.raster(SIZE, SIZE) == 0
    assert (made[outside] == PICTURE[outside]).all()
    if strength != 0.0:
        assert (made != PICTURE).any()


def test_strokes_with_a_prompt_of_their_own_change_what_is_round_them(make: Make) -> None:
    dot = Stroke([(0.2, 0.2)], width=0.1, colour="#20c040")
    near = dot.raster(SIZE, SIZE) > 0
    local = make(SHOT.image(PICTURE).paint(dot, prompt="a blue car", strength=1)).original
    far = np.ones((SIZE, SIZE), bool)
    far[: SIZE // 2, : SIZE // 2] = False
    assert (local[far] == PICTURE[far]).all() and (local[near] != PICTURE[near]).any()
    blended = make(SHOT.image(PICTURE).paint(dot, strength=1)).original
    assert (blended[far] != PICTURE[far]).any()


@pytest.mark.parametrize(
    "strokes",
    [
        (Stroke([(-0.5, -0.5)], width=0.01),),
        (Stroke([(0.2, 0.2)], width=0.1, opacity=0),),
        (Stroke([(0.2, 0.2)], width=0.1), Stroke([(0.2, 0.2)], width=0.3, erase=True)),
    ],
)
def test_strokes_for_a_prompt_that_leave_no_mark_do_not_change_the_picture(
    make: Make, strokes: tuple[Stroke, ...]
) -> None:
    with pytest.raises(ShotError, match=r"^instructions\[1\]\.strokes: nothing of them is left") as caught:
        make(SHOT.image(PICTURE).paint(strokes, prompt="a blue car"))
    assert "\n" not in str(caught.value)


def test_a_hard_edge_follows_the_model_up_to_the_mask(make: Make) -> None:
    box = Mask(box=Box(0.25, 0.25, 0.75, 0.75))
    inside = box.raster(SIZE, SIZE) == 1
    hard = make(SHOT.image(PICTURE).edit("a blue car", box, feather=0, strength=1)).original
    soft = make(SHOT.image(PICTURE).edit("a blue car", box, feather=0.2, strength=1)).original
    changed = np.abs(hard.astype(int) - PICTURE).sum(axis=2)
    gentle = np.abs(soft.astype(int) - PICTURE).sum(axis=2)
    edge = inside.copy()
    edge[18:46, 18:46] = False
    assert gentle[edge].mean() < 0.5 * changed[edge].mean()
    assert (soft[30:34, 30:34] == hard[30:34, 30:34]).all()


def test_paint_alone_is_seen_and_eraser_and_opacity_count(make: Make) -> None:
    def painted(*strokes: Stroke) -> NDArray[np.uint8]:
        return make(SHOT.image(PICTURE).paint(strokes, strength=0)).original

    full = painted(STROKE)
    covered = STROKE.raster(SIZE, SIZE) == 1
    assert (full[covered] == (0x20, 0xC0, 0x40)).all()
    bare = STROKE.raster(SIZE, SIZE) == 0
    assert (full[bare] == PICTURE[bare]).all()
    half = painted(Stroke(**{**STROKE.given(), "opacity": 0.5}))
    expected = (PICTURE[covered].astype(float) + np.array([0x20, 0xC0, 0x40])) / 2
    assert np.abs(half[covered] - expected).max() <= 1
    gone = painted(STROKE, Stroke([(0.5, 0.5)], width=1.0, erase=True))
    assert (gone != full).any()
    thin = painted(Stroke(**{**STROKE.given(), "pressure": (0.2, 0.2)}))
    assert (thin != PICTURE).any(axis=2).sum() < (full != PICTURE).any(axis=2).sum()


def test_the_order_of_edits_counts_and_that_of_the_picture_does_not(make: Make) -> None:
    first, second = (
        ContentInstruction(strokes=(Stroke([(0.5, 0.5)], width=0.6, colour=colour),), strength=0)
        for colour in ("red", "blue")
    )
    there = make(SHOT.image(PICTURE).add(first).add(second)).original
    back = make(SHOT.image(PICTURE).add(second).add(first)).original
    assert (there[32, 32] == (0, 0, 255)).all()
    assert (back[32, 32] == (255, 0, 0)).all()
    # A picture chosen after the paint is what the paint lies on.
    assert (make(SHOT.add(first).add(second).image(PICTURE)).original == there).all()


def test_the_earliest_picture_is_the_start(make: Make) -> None:
    late = SHOT.image(255 - PICTURE, time=0.8)
    assert (make(late).original == 255 - PICTURE).all()
    assert (make(late.image(PICTURE, time=0.1)).original == PICTURE).all()


def test_nothing_unchanged_is_drawn_twice(make: Make, image_model: VideoModel) -> None:
    cache, count = PictureCache(), round(0.5 * image_model.defaults.steps)
    shot = SHOT.image(PICTURE)
    for prompt in ("a red ball", "a blue car", "a green bird"):
        shot = shot.edit(prompt, strength=0.5)
    assert len(drawn(make, shot, cache=cache)) == 3 * count
    before = cache.hits
    assert drawn(make, shot, cache=cache) == []
    assert cache.hits == before + 1
    edits = list(shot.instructions)
    for place, redrawn in ((3, 1), (2, 2), (1, 3)):
        changed = [*edits]
        changed[place] = ContentInstruction(
            prompt=f"a {('red', 'blue', 'green')[place - 1]} star", strength=0.5
        )
        said = drawn(make, shot.with_(instructions=tuple(changed)), cache=cache)
        assert len(said) == redrawn * count
        assert said[0].stage == f"instructions[{place}]"
        assert said[0].steps == redrawn * count
    # The shot's own prompt has no part in edits that have theirs; motion and length have none at all.
    other = shot.with_(prompt="a blue star").with_(frames=9).motion("it rolls")
    assert drawn(make, other, cache=cache) == []
    assert drawn(make, shot.with_seed(8), cache=cache) != []
    assert drawn(make, shot.image(255 - PICTURE), cache=cache) != []


def test_a_cache_is_bounded_and_hands_out_read_only() -> None:
    cache = PictureCache(most_bytes=3 * PICTURE.nbytes)
    for k in range(5):
        kept = cache.put(str(k), PICTURE + np.uint8(k))
        if k == 2:
            cache.get("0")
    assert len(cache) == 3
    assert [key for key in "01234" if key in cache] == ["0", "3", "4"]
    with pytest.raises(ValueError, match="read-only"):
        kept[0, 0, 0] = 1
    found = cache.get("4")
    assert found is not None and (found == PICTURE + np.uint8(4)).all()
    assert cache.get("gone") is None
    assert (cache.hits, cache.misses) == (2, 1)
    cache.clear()
    assert len(cache) == 0


def test_cancelling_keeps_what_is_finished(make: Make, image_model: VideoModel) -> None:
    cache, seen = PictureCache(), list[PictureStep]()
    shot = SHOT.edit("a blue car", strength=0.5)
    with pytest.raises(Cancelled):
        make(shot, cache=cache, on_step=seen.append, cancel=lambda: bool(seen) and seen[-1].stage != "prompt")
    assert len(seen) == image_model.defaults.steps + 1
    assert len(drawn(make, shot, cache=cache)) == round(0.5 * image_model.defaults.steps)


def test_a_drag_ends_at_its_target_and_begins_as_the_original(make: Make) -> None:
    picture = smooth()
    shot = SHOT.image(picture).drag((20 / 64, 0.5), (44 / 64, 0.5), start=0.2, end=0.8)
    made = make(shot)
    assert (made.original == picture).all()
    frames = made.over_time(11)
    assert frames.shape == (11, SIZE, SIZE, 3)
    assert (frames[:3] == picture).all()
    assert (frames[8:] == made.edited).all()

    def centre(frame: NDArray[np.uint8]) -> float:
        red = (frame[..., 0].astype(int) - frame[..., 1]) > 120
        return float(np.nonzero(red)[1].mean())

    centres = [centre(frame) for frame in frames]
    assert np.allclose(centres[2:9], np.linspace(20, 44, 7), atol=1.0)
    outside = made.touched == 0
    assert outside.any()
    assert (frames[:, outside] == picture[outside]).all()
    assert made.touched[32, 20] == made.touched[32, 44] == made.touched[32, 32] == 1
    assert (made.edited[32, 20] != picture[32, 20]).any()


def test_what_a_drag_bares_is_drawn_anew_once(make: Make) -> None:
    cache = PictureCache()
    shot = SHOT.image(smooth()).drag((20 / 64, 0.5), (44 / 64, 0.5))
    said = drawn(make, shot, cache=cache)
    assert said and all(step.stage == "instructions[1]" for step in said)
    assert said[-1].step == said[-1].steps
    assert drawn(make, shot, cache=cache) == []
    drag = shot.instructions[1]
    assert isinstance(drag, DragTrajectory)
    later = DragTrajectory(**{**drag.given(), "start": 0.5, "easing": "ease-in"})
    assert drawn(make, shot.add(later), cache=cache) == []
    assert drawn(make, shot.drag((20 / 64, 0.5), (44 / 64, 0.6)), cache=cache) != []


def test_what_stands_behind_a_drag_does_not_depend_on_what_was_made_before(make: Make) -> None:
    def there_and_back(easing: str) -> Shot:
        via = [(44 / 64, 0.5)]
        return SHOT.image(smooth()).drag((20 / 64, 0.5), (22 / 64, 0.5), via=via, easing=easing)  # type: ignore[arg-type]

    cache = PictureCache()
    make(there_and_back("hold"), cache=cache)
    after, alone = make(there_and_back("linear"), cache=cache), make(there_and_back("linear"))
    assert (after.over_time(9) == alone.over_time(9)).all()


@pytest.mark.parametrize("ground", [3, 10])
def test_a_dark_ground_of_a_mask_is_not_marked(make: Make, ground: int) -> None:
    clean = np.zeros((SIZE, SIZE), dtype=np.uint8)
    clean[20:44, 8:32] = 255
    dark = np.maximum(clean, ground)
    shot = SHOT.image(smooth())
    for asked in (
        lambda mask: shot.edit("a blue car", mask, strength=1),
        lambda mask: shot.drag((20 / 64, 0.5), (44 / 64, 0.5), region=mask),
        lambda mask: shot.edit("a blue car", Mask(image=Mask.of(255 - mask).image, invert=True), strength=1),
    ):
        assert (make(asked(dark)).edited == make(asked(clean)).edited).all()
    error = _refusal(make, shot.edit("a blue car", clean // 255))
    assert error.field == "instructions[1].mask" and "nearly black" in str(error)


def _refusal(make: Make, shot: Shot) -> ShotError:
    with pytest.raises(ShotError) as caught:
        make(shot)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_region_that_was_not_embedded_is_named(make: Make) -> None:
    drag = DragTrajectory(moves=(DragMove((0.3, 0.5), (0.7, 0.5)),), region=Mask(image="m.png"))
    error = _refusal(make, SHOT.image(PICTURE).add(drag))
    assert str(error).startswith('instructions[1].region.image is "m.png": its file has not been read; ')


def test_a_box_has_no_halo_wherever_it_lies() -> None:
    for shift in (0, 0.003):
        box = Box(0.25 + shift, 0.25, 0.5 + shift, 0.5)
        corners = [(box.x0, box.y0), (box.x1, box.y0), (box.x1, box.y1), (box.x0, box.y1)]
        halos = []
        for region in (Mask(box=box), Mask(box=box, polygon=corners), Mask(polygon=corners)):
            (drag,) = picture_of(SHOT.drag((0.4, 0.4), (0.7, 0.4), region=region), SIZE, SIZE).drags
            halos.append(cut(PICTURE, [as_warp(drag)]).halo.any())
        assert halos == [False, True, True]


def test_handles_of_an_optimised_drag_may_pass_one_point(make: Make) -> None:
    drag = DragTrajectory(
        moves=(DragMove((0.25, 0.5), (0.75, 0.5)), DragMove((0.75, 0.5), (0.25, 0.5))),
        region=Mask(box=Box(0.1, 0.3, 0.9, 0.7)),
        method="optimise",
    )
    made = make(SHOT.image(smooth()).add(drag))
    frames = made.over_time(9)
    assert (frames[-1] == made.edited).all() and (frames[4] != frames[0]).any()


def test_several_drags_move_in_their_own_time(make: Make) -> None:
    picture = smooth()
    picture[8:16, 8:16] = (20, 30, 230)
    box = Mask(box=Box(8 / 64, 8 / 64, 16 / 64, 16 / 64))
    shot = SHOT.image(picture).drag((20 / 64, 0.5), (44 / 64, 0.5), end=0.4)
    shot = shot.drag((0.18, 0.18), (0.8, 0.18), region=box, start=0.6)
    made = make(shot)
    middle = made.over_time(3)[1]
    assert (middle[12, 12] == picture[12, 12]).all()
    assert middle[32, 44, 0] > 180
    assert made.edited[12, 52, 2] > 180
    assert made.edited[12, 12, 2] < 180


def test_a_drag_that_comes_back_is_underway_in_between(make: Make) -> None:
    picture = smooth()
    shot = SHOT.image(picture).drag((20 / 64, 0.5), (20 / 64, 0.5), via=[(44 / 64, 0.5)])
    made = make(shot)
    frames = made.over_time(5)
    assert (frames[0] == picture).all()
    assert (frames[-1] == made.edited).all()
    assert frames[2][32, 44, 0] > 180
    # What was bared on the way is covered again.
    assert np.abs(made.edited[32, 20].astype(int) - picture[32, 20]).max() <= 1


def test_an_optimised_drag_morphs_from_original_to_edited(make: Make) -> None:
    picture = smooth()
    drag = DragTrajectory(
        moves=(DragMove((20 / 64, 0.5), (28 / 64, 0.5)),),
        region=Mask(box=Box(0.1, 0.3, 0.5, 0.7)),
        method="optimise",
    )
    cache = PictureCache()
    made = make(SHOT.image(picture).add(drag), cache=cache)
    frames = made.over_time(5)
    assert (frames[0] == picture).all()
    assert (frames[-1] == made.edited).all()
    assert (made.edited != picture).any()
    outside = made.touched == 0
    assert (frames[:, outside] == picture[outside]).all()
    assert drawn(make, SHOT.image(picture).add(drag), cache=cache) == []


@pytest.mark.parametrize(
    ("shot", "expected"),
    [
        (
            SHOT.image(np.zeros((1, 1, 3), dtype=np.uint8)),
            "instructions[0].image: the picture is 1 x 1 pixels; give one of at least 8 x 8",
        ),
        (
            SHOT.image(smooth()).drag((0.05, 0.05), (0.5, 0.5)).drag((0.06, 0.05), (0.6, 0.5)),
            "instructions[2].region: instructions[1] pulls the same region",
        ),
    ],
)  # fmt: skip
def test_what_only_the_picture_shows_to_be_wrong(make: Make, shot: Shot, expected: str) -> None:
    with pytest.raises(ShotError) as caught:
        make(shot)
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_damaged_picture_is_named(make: Make) -> None:
    from rehearse.shot import ImageRef

    whole = ImageRef.embed(PICTURE).read()
    with pytest.raises(ShotError, match=r"^instructions\[0\].image: the picture is damaged .*save it again"):
        make(SHOT.image(whole[: len(whole) // 2]))


def test_sizes_the_model_does_not_take(image_model: VideoModel) -> None:
    with pytest.raises(ShotError, match=r"width is 60: .* needs a multiple of 8, such as 56 or 64"):
        make_intermediate(picture_of(SHOT, 60, 64), image_model)


def test_unknown_words_are_named_where_they_stand(tmp_path_factory: pytest.TempPathFactory) -> None:
    from toy_models import WORDS, save_toy_model

    from rehearse.models import load_model

    folder = save_toy_model(tmp_path_factory.mktemp("models") / "closed", kind="image", vocabulary=WORDS)
    model = load_model(str(folder), precision="float32")

    def said(shot: Shot) -> str:
        with pytest.raises(ShotError) as caught:
            make_intermediate(picture_of(shot, SIZE, SIZE), model)
        return str(caught.value)

    assert said(Shot("a dragon")).startswith('prompt: "dragon"')
    edit = Shot("a dragon").image(PICTURE).edit("a red bal")
    assert said(edit).startswith('instructions[1].prompt: "bal" (nearest: "ball"')
    # A prompt that draws nothing may say what it likes.
    make_intermediate(picture_of(Shot("a dragon").image(PICTURE).edit("a red ball"), SIZE, SIZE), model)
