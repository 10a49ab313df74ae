"""A shot with nothing left open: without torch, each item with its field, refused where it can be."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from rehearse.cards import Defaults, Limits, ModelCard
from rehearse.resolve import DragBlend, ForkBlend, blend_of, refuse_alone, resolve, resolve_picture
from rehearse.resolve.abilities import ALIGNED, LATER, STEERED, UNNAMED, all_abilities
from rehearse.resolve.branching import (
    acts_in_steps,
    begins_anew,
    change_of_model,
    change_of_run,
    last_step_with_room,
    mixes_with_parent,
    new_blend_is_of_a_drag,
)
from rehearse.resolve.instructions.drags import DragFault
from rehearse.shot import Box, Shot, ShotError, Stroke
from rehearse.shot.methods import (
    METHODS,
    AttentionMasking,
    AttentionToTargets,
    ControlSettings,
    TemporalPrior,
)

PROMPT = "a red ball and the blue star over snow"
PATH = [(0, Box(0.1, 0.3, 0.4, 0.7)), (1, Box(0.6, 0.3, 0.9, 0.7))]
GREY = np.full((48, 64, 3), 90, np.uint8)
ALL = ("image", "content", "motion", "trajectory.box", "trajectory.point", "trajectory.drag", "target")
TEXT = ModelCard(
    identity="words",
    family="unet3d",
    abilities=all_abilities(
        ["trajectory.box", "trajectory.point"], shows_picture=None, joint=False, aligns=False
    ),
    defaults=Defaults(8, 64, 48, 8.0, 10, 6.0, "ddim"),
    limits=Limits(max_frames=16, size_multiple=8, max_tokens=16),
    site_kinds=frozenset({"cross", "spatial", "temporal"}),
)
MOVING = replace(
    TEXT,
    identity="pictures",
    abilities=all_abilities(ALL, shows_picture="any", joint=False, aligns=False),
    shows_picture="any",
    needs_picture=True,
    triggers={"target": "target"},
)


def shot_of(**fields: Any) -> Shot:
    return Shot(PROMPT, width=64, height=48, **fields)


def test_it_needs_no_torch() -> None:
    code = "import sys, rehearse.resolve.branching, rehearse.cards; print('torch' in sys.modules)"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "False"


def test_every_default_is_filled_in_from_the_card_then_from_the_method() -> None:
    found = resolve(Shot(PROMPT), TEXT)
    own = TEXT.defaults
    assert (found.frames, found.width, found.height, found.fps) == (8, 64, 48, 8.0)
    assert (found.steps, found.guidance, found.scheduler, found.seed) == (10, 6.0, "ddim", 0)
    assert [type(one) for one in found.methods] == list(METHODS)
    assert found.method(AttentionMasking) == AttentionMasking()
    card = replace(TEXT, defaults=replace(own, frozen_steps=3))
    assert resolve(Shot(PROMPT), card).method(AttentionMasking).frozen_steps == 3
    said = shot_of().with_control(frozen_steps=5, temporal_prior="none")
    assert resolve(said, card).method(AttentionMasking).frozen_steps == 5
    assert resolve(said, card).method(TemporalPrior).temporal_prior == "none"
    released = resolve(shot_of().with_control(mask_variant="released"), TEXT).method(AttentionMasking)
    assert (released.mask_sites, released.mask_inset) == (("cross", "spatial", "temporal"), 0.0)


def test_each_setting_of_the_document_belongs_to_one_method() -> None:
    from dataclasses import fields

    names = [field.name for kind in METHODS for field in fields(kind)]
    assert sorted([*names, "blend"]) == sorted(ControlSettings.model_fields)


def test_items_carry_the_field_they_came_from() -> None:
    shot = shot_of().image(GREY).paint(Stroke([(0.1, 0.1), (0.5, 0.5)], width=0.1, colour="red"))
    shot = shot.drag((0.2, 0.5), (0.6, 0.5)).follow("red ball", PATH).follow(None, [(0, (0.8, 0.8))])
    shot = shot.target("blue star", Box(0.5, 0.1, 0.8, 0.4)).motion(magnitude="large")
    found = resolve(shot, MOVING)
    picture = found.picture
    assert picture is not None and picture.start is not None and found.motion is not None
    assert (picture.start.field, picture.start.strength) == ("instructions[0]", 1.0)
    assert [one.field for one in picture.edits] == ["instructions[1]"]
    assert [one.field for one in picture.drags] == ["instructions[2]"]
    assert [one.field for one in found.subjects] == ["instructions[3]"]
    assert [one.field for one in picture.pins] == ["instructions[4]"]
    assert [one.field for one in found.marks] == ["instructions[5]"]
    assert found.words.text == "a red ball and the target blue star over snow"
    assert found.words.text[slice(*found.marks[0].span)] == "blue star"
    assert found.words.text[slice(*(found.marks[0].trigger or (0, 0)))] == "target"
    assert found.words.text[slice(*found.subjects[0].span)] == "red ball"
    assert found.motion.amount == 0.75
    assert found.led(6, 8).any() and not found.led(6, 8)[0].any()


@pytest.mark.parametrize(
    ("shot", "card", "field"),
    [
        (shot_of().drag((0.2, 0.5), (0.6, 0.5)), TEXT, "instructions[0]"),
        (shot_of().follow(None, PATH), TEXT, "instructions[0].phrase"),
        (shot_of(frames=17), TEXT, "frames"),
        (Shot(PROMPT, width=60), TEXT, "width"),
        (shot_of().image(GREY, time=0.5), replace(MOVING, abilities=MOVING.abilities - {LATER},
                                                  shows_picture="start"), "instructions[0].time"),
        (shot_of().with_control(frame_alignment=True), MOVING, "control.frame_alignment"),
        (shot_of().with_control(target_attention=2), MOVING, "control.target_attention"),
        (shot_of().follow(None, [(0, (0.5, 0.5)), (1, (1.2, 0.5))], leaves_frame=True), MOVING,
         "instructions[0].path.keyframes[1]"),
        (shot_of().drag((0.2, 0.5), (0.6, 0.5), region=np.arange(64) + np.zeros((48, 1)) > 40), MOVING,
         "instructions[0].moves[0].handle"),
        (shot_of().drag((0.2, 0.5), (0.6, 0.5)).with_control(blend={"original": "kept"}), MOVING,
         "control.blend.original"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_by_its_own_field(shot: Shot, card: ModelCard, field: str) -> None:
    with pytest.raises(ShotError) as caught:
        resolve(shot, card)
    assert caught.value.field == field and "\n" not in str(caught.value)


def test_what_is_not_heeded_is_a_note_and_no_fault() -> None:
    found = resolve(shot_of(guidance=1, negative_prompt="car").with_control(mask_inset=1), TEXT)
    assert len(found.notes) == 2
    assert any("control.mask_inset: set for subjects" in note for note in found.notes)
    assert any("negative prompt is not used at guidance 1" in note for note in found.notes)
    (edge,) = resolve(
        shot_of().drag((0.2, 0.5), (0.6, 0.5)).with_control(blend={"feather": 0.1}), MOVING
    ).notes
    assert "control.blend.feather" in edge
    assert not resolve(shot_of().with_control(frozen_steps=0, normalization="none"), TEXT).notes


def test_abilities_come_from_what_a_model_is() -> None:
    assert all_abilities(["image"], shows_picture="start", joint=False, aligns=True) == {"image", ALIGNED}
    assert all_abilities(ALL, shows_picture="any", joint=True, aligns=False) >= {UNNAMED, LATER, STEERED}
    joint = replace(TEXT, abilities=TEXT.abilities | {STEERED}, site_kinds=frozenset({"joint"}))
    shot = shot_of().target("blue star", Box(0.5, 0.1, 0.8, 0.4)).with_control(target_attention=2)
    found = resolve(shot, joint)
    assert found.method(AttentionToTargets).target_attention == 2 and found.marks[0].trigger is None


def test_a_blend_is_with_the_parent_unless_something_is_dragged() -> None:
    assert blend_of(shot_of()) is None
    forked = shot_of().with_control(blend={"weight": 0.25})
    fork = blend_of(forked)
    assert isinstance(fork, ForkBlend) and fork.settings.weight == 0.25 and not fork.keeps_original
    assert isinstance(blend_of(forked.drag((0.2, 0.5), (0.6, 0.5))), DragBlend)
    assert isinstance(blend_of(forked.follow(None, PATH)), DragBlend)
    assert isinstance(blend_of(forked.follow(None, PATH[:1])), ForkBlend), "a pin drags nothing"
    assert isinstance(blend_of(forked.follow("red ball", PATH)), ForkBlend)
    with pytest.raises(ShotError, match=r"control\.blend"):
        refuse_alone(resolve(forked, TEXT))
    refuse_alone(resolve(forked.drag((0.2, 0.5), (0.6, 0.5)), MOVING))


def test_the_rule_of_branches() -> None:
    shot = shot_of()
    blended = shot.with_control(blend={"weight": 0.5})
    assert begins_anew(shot, shot.with_seed(3), 0)
    assert not begins_anew(shot, shot, 0)
    assert not begins_anew(shot, shot.with_seed(3), 1)
    assert not begins_anew(shot, blended, 0)
    assert mixes_with_parent(blended) and not mixes_with_parent(shot)
    change = change_of_model(shot, shot.with_(model="another"))
    assert change is not None and (change.name, change.now) == ("model", "another")
    before = resolve(shot, TEXT)
    for fields in (
        {"seed": 4},
        {"frames": 5},
        {"width": 72},
        {"height": 56},
        {"steps": 4},
        {"scheduler": "euler"},
    ):
        changed = change_of_run(before, resolve(shot.with_(**fields), TEXT))
        assert changed is not None and changed.name in fields
        assert changed.sentence("a fork at step 2", "start anew").startswith("a fork at step 2 keeps the ")
    assert change_of_run(before, resolve(shot.with_prompt("a blue star"), TEXT)) is None
    assert not acts_in_steps(shot, shot.with_(fps=12)) and acts_in_steps(shot, shot.with_seed(2))
    assert last_step_with_room([0, 2, 4], 4) == 2 and last_step_with_room([], 4) == 0
    dragged = blended.drag((0.2, 0.5), (0.6, 0.5))
    assert new_blend_is_of_a_drag(shot, dragged) and not new_blend_is_of_a_drag(dragged, dragged)


def test_faults_of_drags_are_told_in_the_shot_s_fields() -> None:
    shot = (
        shot_of()
        .drag((0.2, 0.5), (0.6, 0.5))
        .follow(None, [(0, (0.7, 0.7)), (0.5, (0.8, 0.7)), (1, (0.9, 0.7))])
    )
    drag, path = resolve_picture(shot, MOVING).drags
    gone = DragFault("nothing is left", "end it nearer", drag=1, several=True, part="target", value=[2, 2])
    assert gone.field == "drags[1].moves[0].target"
    assert drag.told(gone).field == "instructions[0].moves[0].target"
    told = path.told(gone)
    assert told.field == "instructions[1].path.keyframes[2]" and "keep it nearer to the middle" in str(told)
    same = DragFault(
        "{other} pulls the same region", "put them into one", drag=1, several=True, part="region", other=0
    )
    assert "drags[0] pulls the same region" in str(same)
    told = path.told(same, (drag, path))
    assert "instructions[0] pulls the same region; keep one of them" in str(told)
    assert told.field == "instructions[1].path"
