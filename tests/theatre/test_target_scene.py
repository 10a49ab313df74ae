"""The target scene: its first frame and caption do not tell the choice, and every choice can be reached."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from rehearse.theatre import data
from rehearse.theatre.data import rng_of
from rehearse.theatre.parts import SPEED, TARGET_KINDS, target_part_map
from rehearse.theatre.target_data import (
    make_target_clips,
    row_of,
    target_clip,
    target_scene,
    write_target_rows,
)
from rehearse.theatre.target_tokenizer import TARGET_TOKENS, target_tokenizer
from rehearse.theatre.world import render_target, target_sheet, target_words
from rehearse.theatre.world.render import frame_times
from rehearse.theatre.world.target_actors import ACTORS
from rehearse.theatre.world.target_scene import (
    APART,
    COUNT,
    FRAMES,
    PROP_COLOURS,
    PROPS,
    TRIGGER,
    VERBS,
    Prop,
    TargetScene,
    sample_target_scene,
)
from rehearse.theatre.world.vocabulary import BACKDROPS

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.sampled_from(ACTORS))
@settings(max_examples=12, deadline=None)
@example(24429641, "hand")  # soft shadows of two props meet
def test_first_frame_and_caption_are_the_same_for_every_choice(seed: int, actor: str) -> None:
    scene = sample_target_scene(np.random.default_rng(seed), actor=actor)
    clips = [render_target(scene.choose(k), frames=2) for k in range(COUNT)]
    for clip in clips[1:]:
        assert (clip.frames[0] == clips[0].frames[0]).all()
        assert (clip.props == clips[0].props).all()
        assert clip.caption == clips[0].caption and clip.scene.phrase == clips[0].scene.phrase


@given(SEEDS, st.sampled_from(ACTORS))
@settings(max_examples=15, deadline=None)
def test_it_touches_its_target_and_no_other_and_the_target_answers(seed: int, actor: str) -> None:
    scene = sample_target_scene(np.random.default_rng(seed), actor=actor)
    clip = render_target(scene)
    on = (clip.owners == COUNT + 1)[:, None] & clip.props[None]  # [F, K, H, W]
    touched = on.any(axis=(0, 2, 3))
    assert touched.tolist() == [k == scene.chosen for k in range(COUNT)]
    assert not on[0].any() and clip.touched_at is not None and 0 < clip.touched_at < FRAMES - 2
    moved = np.abs(clip.boxes[:COUNT, -1] - clip.boxes[:COUNT, 0]).max(axis=1)
    assert all((moved[k] > 0.02) == (k == scene.chosen) for k in range(COUNT))
    assert clip.mask.sum() >= 250 and (clip.mask == clip.props[scene.chosen]).all()
    assert clip.actor_mask.sum() > 400


@given(SEEDS, st.sampled_from(ACTORS))
@example(302, "frog")  # the prop is right above the frog
@settings(max_examples=15, deadline=None)
def test_what_stops_short_touches_nothing(seed: int, actor: str) -> None:
    scene = replace(sample_target_scene(np.random.default_rng(seed), actor=actor), short=0.1)
    clip = render_target(scene)
    assert clip.touched_at is None
    assert np.allclose(clip.boxes[:COUNT, -1], clip.boxes[:COUNT, 0])


@given(SEEDS)
@settings(max_examples=20, deadline=None)
def test_every_prop_of_a_layout_can_be_reached(seed: int) -> None:
    scene = sample_target_scene(np.random.default_rng(seed))
    assert all(scene.choose(k).clearance() >= APART for k in range(COUNT))
    assert len({(prop.kind, prop.colour, prop.size) for prop in scene.props}) == 1


def test_choices_are_even_and_do_not_lean_on_the_place() -> None:
    scenes = [sample_target_scene(rng_of(11, i)) for i in range(400)]
    shares = np.bincount([scene.chosen for scene in scenes], minlength=COUNT) / len(scenes)
    assert np.abs(shares - 1 / COUNT).max() < 0.08
    nearest = [
        min(
            range(COUNT),
            key=lambda k, s=scene: np.hypot(s.props[k].x - s.start[0], s.props[k].y - s.start[1]),
        )  # type: ignore[misc]
        for scene in scenes
    ]
    hits = np.mean([near == scene.chosen for near, scene in zip(nearest, scenes, strict=True)])
    assert abs(hits - 1 / COUNT) < 0.08
    assert {scene.actor for scene in scenes} == set(ACTORS)
    assert {scene.target.kind for scene in scenes} == set(PROPS)


def test_a_clip_depends_on_its_seed_and_index_alone() -> None:
    one, again = target_clip(4, 7), target_clip(4, 7)
    assert (one.frames == again.frames).all() and one.scene == again.scene
    assert target_scene(4, 8) != one.scene and target_scene(5, 7) != one.scene


def test_parts_name_actor_and_props_and_how_they_move() -> None:
    clip = render_target(sample_target_scene(np.random.default_rng(1), actor="crane"))
    times = frame_times(FRAMES)
    cells = np.stack([target_part_map(clip.scene, t, clip.owners[f]) for f, t in enumerate(times)])
    actor = TARGET_KINDS.index("crane") + 1
    prop = TARGET_KINDS.index(clip.scene.target.kind) + 1
    assert set(np.unique(cells[..., 0])) == {0, prop, actor}
    assert not cells[0][cells[0, ..., 0] == prop][:, 3:].any()
    going_down = cells[3][cells[3, ..., 0] == actor][:, 4] / SPEED
    assert (going_down > 0.2).all()
    going_up = cells[-1][cells[-1, ..., 0] == actor][:, 4] / SPEED
    assert (going_up < -0.2).all()


def test_a_data_set_says_what_happens_in_its_clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "CHUNK", 2)

    def encode(pictures: np.ndarray) -> np.ndarray:
        return pictures[:, ::8, ::8].transpose(0, 3, 1, 2).astype(np.float16)

    clips = make_target_clips(tmp_path, 3, seed=4, encode=encode, workers=1)
    assert clips.latents.shape == (3, FRAMES, 3, 16, 16) and clips.parts.shape == (3, FRAMES, 16, 16, 5)
    truth = target_clip(4, 2)
    assert clips.rows[2] == row_of(truth)
    assert clips.rows[2]["chosen"] == truth.scene.chosen
    assert len(clips.rows[2]["boxes"]) == COUNT + 1
    assert (clips.latents[2] == encode(truth.frames)).all()


def test_every_word_is_one_token_and_the_longest_prompt_fits() -> None:
    tokenizer = target_tokenizer()
    for word in target_words():
        assert len(tokenizer.tokenize(word)) == 1, word
    captions = set()
    for actor in ACTORS:
        for kind in PROPS:
            for backdrop in BACKDROPS:
                for colour in PROP_COLOURS:
                    prop = Prop(kind, colour, 0.5, 0.5, 0.2)
                    scene = TargetScene(actor, backdrop, 0, (prop,), (0.1, 0.1), (0.0, 0.0), 0)
                    captions.add(scene.caption)
    for caption in captions:
        ids = tokenizer(caption.replace(" a ", f" a {TRIGGER} ", 1)).input_ids
        assert len(ids) <= TARGET_TOKENS - 1 and tokenizer.unk_token_id not in ids
    assert all(verb.split()[0] in target_words() for verb in VERBS.values())


def test_a_saved_tokenizer_is_the_same(tmp_path: Path) -> None:
    from transformers import T5Tokenizer

    target_tokenizer().save_pretrained(tmp_path)
    again = T5Tokenizer.from_pretrained(str(tmp_path), local_files_only=True)
    prompt = "a hand reaches for a red target star over the meadow"
    assert again(prompt).input_ids == target_tokenizer()(prompt).input_ids
    spans = again(prompt, return_offsets_mapping=True)["offset_mapping"]
    start, end = spans[prompt.split().index(TRIGGER)]
    assert prompt[start:end].strip() == TRIGGER


@pytest.mark.parametrize("bad", [{"actor": "dog"}, {"backdrop": "moon"}, {"chosen": 3}])
def test_unknown_things_are_refused(bad: dict[str, object]) -> None:
    scene = sample_target_scene(np.random.default_rng(0))
    with pytest.raises(ValueError):
        replace(scene, **bad)  # type: ignore[arg-type]


@pytest.mark.parametrize("bad", [("dog", "red"), ("star", "green"), ("star", "mauve")])
def test_props_never_wear_the_actors_colours(bad: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match=bad[0] if bad[0] == "dog" else bad[1]):
        Prop(*bad, 0.5, 0.5, 0.2)


def test_the_sheet_has_a_strip_for_each_scene() -> None:
    sheet = target_sheet(np.random.default_rng(0), rows=2, size=48)
    assert sheet.width > FRAMES * 48 and sheet.height > 2 * 48


def test_rows_for_the_adapter_s_trainer_are_clips_and_masks_pixel_for_pixel(tmp_path: Path) -> None:
    from rehearse.media import read_frames
    from rehearse.training.own.rows import read_rows

    rows, problems = read_rows(write_target_rows(tmp_path, 2, seed=4, first=9), "target")
    assert not problems and len(rows) == 2
    truth = target_clip(4, 10)
    assert (read_frames(rows[1].video) == truth.frames).all()
    assert (rows[1].said.caption, rows[1].said.target) == (truth.caption, truth.scene.phrase)
    masks = {name: np.array(Image.open(path)) > 127 for name, path in rows[1].masks}
    assert (masks["mask"] == truth.mask).all() and (masks["actor_mask"] == truth.actor_mask).all()
