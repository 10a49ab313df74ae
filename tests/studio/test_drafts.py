"""Shots in whatever state a person leaves them: kept, given back, told what is wrong, mended, never run."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hand_engine import FACTS, SHOT, HandEngine
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shot_strategies import shots

from rehearse.models.model import Limits
from rehearse.resolve.abilities import needs
from rehearse.shot import Shot
from rehearse.shot.draft import check_draft
from rehearse.studio.limits import ServerLimits
from rehearse.studio.readiness import problems_of, subjects_of
from rehearse.theatre.world.vocabulary import COLOURS, PUPPETS, word_groups, words

Json = dict[str, Any]

BOX: Json = {
    "kind": "trajectory", "form": "box", "phrase": "red ball",
    "path": {"keyframes": [{"time": 0, "box": [0.1, 0.1, 0.4, 0.4]},
                           {"time": 1, "box": [0.5, 0.1, 0.8, 0.4]}]},
}  # fmt: skip
DRAG: Json = {"kind": "trajectory", "form": "drag", "moves": [{"handle": [0.2, 0.2], "target": [0.6, 0.2]}]}
UNNAMED: Json = {name: value for name, value in BOX.items() if name != "phrase"}


def model(name: str, *abilities: str, frames: int | None = 24, **limits: Any) -> Json:
    known = sorted(words())
    return {
        **FACTS, "name": name, "abilities": ["trajectory.box", "trajectory.point", *abilities],
        "limits": {"max_frames": frames, "size_multiple": 8, "max_tokens": 77, "vocabulary": known,
                   "word_groups": word_groups(known), "frame_step": 1, "fixed": None, **limits},
    }  # fmt: skip


MODELS = [
    model("theatre-animate", "image", "content", "motion", "trajectory.drag", "trajectory.unnamed",
          "image.later"),
    model("theatre-image", frames=1),
    model("theatre-reach", "image", "content", "target", "target_attention", frames=8, size_multiple=16),
    model("theatre-video"),
]  # fmt: skip


def found(shot: Json) -> list[Json]:
    draft = check_draft({"prompt": "a red ball over the meadow", "model": "theatre-video", **shot})
    return [problem.model_dump() for problem in problems_of(draft, MODELS, ServerLimits())]


def mended(shot: Json, patch: list[Json]) -> Json:
    """The shot after a JSON Patch, read from RFC 6902."""
    changed = copy.deepcopy(shot)
    for operation in patch:
        *way, last = operation["path"].strip("/").split("/")
        at: Any = changed
        for part in way:
            at = at[int(part)] if isinstance(at, list) else at[part]
        key = int(last) if isinstance(at, list) else last
        if operation["op"] == "remove":
            del at[key]
        else:
            at[key] = operation["value"]
    return changed


UNFINISHED: list[tuple[str, Json, str, str | None]] = [
    ("the prompt is empty", {"prompt": " "}, "prompt", None),
    ("the prompt says something else", {"prompt": "a blue fish over the sea", "instructions": [BOX]},
     "instructions[0].phrase", "Bind to “blue fish”"),
    ("words twice", {"prompt": "a red ball and a red ball", "instructions": [BOX]},
     "instructions[0].occurrence", "The second “red ball”"),
    ("a mention too many", {"instructions": [{**BOX, "occurrence": 3}]}, "instructions[0].occurrence",
     "Bind to “red ball”"),
    ("no words begun", {"instructions": [{**BOX, "phrase": ""}]}, "instructions[0].phrase",
     "Bind to “red ball”"),
    ("a box of nothing", {"instructions": [UNNAMED]}, "instructions[0].phrase", "Use theatre-animate"),
    ("a drag", {"instructions": [DRAG]}, "instructions[0]", "Use theatre-animate"),
    ("a drag beside a path", {"instructions": [BOX, DRAG]}, "instructions[1]", "Use theatre-animate"),
    ("a target nobody marked", {
        "model": "theatre-reach", "instructions": [{"kind": "target", "phrase": "ball"}]},
     "instructions[0].mask", "Remove this mark"),
    ("a target without words", {"model": "theatre-reach", "instructions": [
        {"kind": "target", "phrase": "", "mask": {"box": [0.1, 0.1, 0.3, 0.3]}}]}, "instructions[0].phrase",
     "Bind to “red ball”"),
    ("a target", {"instructions": [
        {"kind": "target", "phrase": "ball", "mask": {"box": [0.1, 0.1, 0.3, 0.3]}}]},
     "instructions[0]", "Use theatre-reach"),
    ("an actor that no model follows", {"instructions": [
        {"kind": "target", "role": "source", "phrase": "ball", "mask": {"box": [0.1, 0.1, 0.3, 0.3]}}]},
     "instructions[0]", "Remove this mark"),
    ("no model of this name", {"model": "theatre-nothing"}, "model", "Use theatre-video"),
    ("too many frames", {"frames": 40}, "frames", "Set to 24 frames"),
    ("more frames than another takes", {"model": "theatre-reach", "frames": 16}, "frames",
     "Use theatre-video"),
    ("frames below any", {"frames": 0}, "frames", "Set to 1"),
    ("a part of a frame", {"frames": 2.6}, "frames", "Set to 3"),
    ("an odd width", {"width": 123}, "width", "Set to 120 pixels"),
    ("guidance beyond all", {"guidance": 900}, "guidance", "Set to 100"),
    ("a setting beyond its range", {"control": {"mask_inset": -1}}, "control.mask_inset",
     "Leave it to the model"),
    ("a keyframe after the end", {"instructions": [
        {**BOX, "path": {"keyframes": [{"time": 1.5, "box": [0.1, 0.1, 0.4, 0.4]}]}}]},
     "instructions[0].path.keyframes[0].time", "Set to 1"),
    ("no keyframe", {"instructions": [{**BOX, "path": {"keyframes": []}}]}, "instructions[0].path.keyframes",
     "Remove this path"),
    ("a path without a path", {"instructions": [{"kind": "trajectory", "form": "box", "phrase": "ball"}]},
     "instructions[0].path", "Remove this path"),
    ("the same thing twice", {"instructions": [BOX, BOX]}, "instructions[1]", "Remove this path"),
    ("a word it never learned", {"prompt": "a red dog over the meadow"}, "prompt", "cat"),
    ("a motion it never learned", {"prompt": "a red ball runs over the meadow"}, "prompt", "moves right"),
    ("two pictures", {"model": "theatre-animate", "instructions": [
        {"kind": "image", "image": "x", "time": time} for time in (0, 1)]}, "instructions[1]",
     "Remove this picture"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("shot", "field", "fix"), [row[1:] for row in UNFINISHED], ids=[r[0] for r in UNFINISHED]
)
def test_what_is_wrong_is_told_where_it_is_and_the_fix_mends_it(
    shot: Json, field: str, fix: str | None
) -> None:
    problems = found(shot)
    problem = next((each for each in problems if each["field"] == field), None)
    assert problem is not None, problems
    said = problem["sentence"]
    assert "instructions[" not in said
    assert said[0].isupper() or said.startswith("theatre-"), said
    assert said.endswith((".", "?"))
    if fix is None:
        return
    labels = [each["label"] for each in problem["fixes"]]
    assert fix in labels, labels
    patch = problem["fixes"][labels.index(fix)]["patch"]
    whole = {"prompt": "a red ball over the meadow", "model": "theatre-video", **shot}
    after = [(each["field"], each["sentence"]) for each in found(mended(whole, patch))]
    assert (problem["field"], problem["sentence"]) not in after


def test_what_can_run_has_no_problem() -> None:
    assert found({"instructions": [BOX]}) == []
    assert found({"instructions": [{**BOX, "phrase": "the  Red ball", "occurrence": 1}]}) == []
    assert found({"model": "theatre-animate", "instructions": [UNNAMED, DRAG], "frames": 16}) == []


def test_a_model_that_can_do_all_of_it_is_offered_first_and_no_picture_model_for_a_clip() -> None:
    mark = {"kind": "target", "phrase": "ball", "mask": {"box": [0.1, 0.1, 0.3, 0.3]}}
    offered = [fix["label"] for problem in found({"instructions": [DRAG]}) for fix in problem["fixes"]]
    assert offered == ["Use theatre-animate", "Remove this drag"]
    own = [{**facts, "name": f"/models/own-{facts['name']}",
            "limits": {**facts["limits"], "vocabulary": None}}
           for facts in MODELS]  # fmt: skip
    draft = check_draft({"prompt": "a ball", "model": own[3]["name"], "instructions": [DRAG]})
    limits = ServerLimits(further_models=tuple(facts["name"] for facts in own))
    (problem,) = problems_of(draft, [*MODELS, *own], limits)
    assert problem.fixes[0].label == "Use own-theatre-animate", "of the same kind of vocabulary"
    both = found({"instructions": [DRAG, mark]})
    assert [fix["label"] for fix in both[0]["fixes"]] == ["Use theatre-animate", "Remove this drag"]
    assert [fix["label"] for fix in both[1]["fixes"]] == ["Use theatre-reach", "Remove this mark"]


@pytest.mark.parametrize(("most", "step"), [(24, 1), (49, 4), (48, 4), (None, 8), (None, 1)])
def test_the_counts_that_are_offered_are_those_of_the_models(most: int | None, step: int) -> None:
    limits = Limits(max_frames=most, size_multiple=8, max_tokens=77, frame_step=step)
    facts = model("theatre-video", frames=most, frame_step=step)
    for asked in (1, 2, 13, 15, 16, 40, 49, 50, 1000):
        draft = check_draft({"prompt": "a red ball", "model": "theatre-video", "frames": asked})
        server = ServerLimits()
        problems = [each for each in problems_of(draft, [facts], server) if each.field == "frames"]
        offered = [op.value for each in problems for fix in each.fixes[:-1] for op in fix.patch]
        assert offered == ([] if limits.takes_frames(asked) else list(limits.nearest_frames(asked)))


def test_words_of_the_theatre_are_its_things_and_other_models_guess() -> None:
    prompt = "a red ball, a blue fish and the ball over the meadow"
    of_theatre = subjects_of({"prompt": prompt, "model": "theatre-video"}, MODELS)
    assert [(noun.phrase, noun.occurrence) for noun in of_theatre] == [
        ("red ball", None), ("blue fish", None), ("ball", 2)
    ]  # fmt: skip
    assert "meadow" in [noun.phrase for noun in subjects_of({"prompt": prompt, "model": "own"}, MODELS)]
    for colour in COLOURS:
        for thing in PUPPETS:
            (noun,) = subjects_of(
                {"prompt": f"a {colour} {thing} in the snow", "model": "theatre-video"}, MODELS
            )
            assert noun.phrase == f"{colour} {thing}"


def test_every_problem_of_any_draft_is_one_that_the_shot_has() -> None:
    """A draft without problems is a shot; one with problems of the document is none."""

    @given(shots())
    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    def check(shot: Shot) -> None:
        draft = check_draft(shot.model_dump(mode="json", exclude_none=True))
        for problem in problems_of(draft, (), ServerLimits(further_models=(shot.model,))):
            assert "this server makes" in problem.sentence, problem

    check()


_LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
_NAMES = st.sampled_from([
    "prompt", "model", "seed", "frames", "width", "steps", "guidance", "fps", "scheduler", "control",
    "instructions",
    "kind", "form", "phrase", "path", "keyframes", "time", "box", "point", "moves", "handle", "target",
    "mask",
    "strokes", "points", "polygon", "image", "text", "magnitude", "region", "blend", "over_time", "weight",
    "colour",
    "version", "occurrence", "trajectory", "drag", "motion", "content",
])  # fmt: skip
_ANY = st.recursive(
    _LEAVES | _NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=5),
    max_leaves=20,
)


@st.composite
def _spoilt(draw: st.DrawFn) -> Json:
    """A real shot in which some places hold something else, or nothing."""
    document = draw(shots()).model_dump(mode="json", exclude_none=True)
    for _ in range(draw(st.integers(0, 3))):
        at: Any = document
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(at[key], dict | list) and draw(st.booleans()):
                at = at[key]
                continue
            if isinstance(at, dict) and draw(st.booleans()):
                del at[key]
            else:
                at[key] = draw(_ANY)
            break
    return document


def test_any_json_is_kept_and_given_back_or_refused_and_the_shelf_still_answers(client: TestClient) -> None:
    project = client.post("/api/projects", json={"name": "p"}).json()["id"]
    kept = 0

    @given(_spoilt() | _ANY)
    @settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    def keep(draft: Any) -> None:
        nonlocal kept
        body = json.dumps({"shot": draft}).encode()
        answer = client.post(
            f"/api/projects/{project}/shots", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (201, 422), answer.text
        if answer.status_code == 422:
            return
        kept += 1
        shot = answer.json()
        given_back = client.get(f"/api/shots/{shot['id']}")
        assert given_back.status_code == 200
        assert given_back.json()["shot"] == shot["shot"]
        if shot["problems"]:
            ran = client.post(f"/api/shots/{shot['id']}/takes", json={"play": False})
            assert ran.status_code == 422
            assert ran.json()["problems"]
            again = client.put(
                f"/api/shots/{shot['id']}", json={"revision": shot["revision"], "shot": shot["shot"]}
            )
            assert (again.status_code, again.json()["shot"]) == (200, shot["shot"])

    keep()
    assert kept > 30
    assert client.get(f"/api/projects/{project}/shots").status_code == 200


def test_a_draft_lives_through_history_export_and_import(client: TestClient) -> None:
    project = client.post("/api/projects", json={"name": "Film"}).json()["id"]
    shot = client.post(
        f"/api/projects/{project}/shots", json={"shot": {**SHOT, "instructions": [BOX]}}
    ).json()
    assert shot["problems"] == []
    draft = {**SHOT, "prompt": "", "frames": -4, "instructions": [BOX, {"kind": "target", "phrase": ""}]}
    changed = client.put(f"/api/shots/{shot['id']}", json={"revision": 1, "shot": draft}).json()
    assert (changed["revision"], changed["shot"], changed["prompt"]) == (2, draft, "")
    history = client.get(f"/api/shots/{shot['id']}/revisions").json()["revisions"]
    assert [len(each["shot"]["instructions"]) for each in history] == [2, 1]
    pack = client.get(f"/api/projects/{project}/export").content
    brought = client.post(
        "/api/projects/import", content=pack, headers={"Content-Type": "application/zip"}
    ).json()["project"]["id"]
    (listed,) = client.get(f"/api/projects/{brought}/shots").json()["shots"]
    again = client.get(f"/api/shots/{listed['id']}").json()
    assert (again["shot"], again["problems"]) == (draft, changed["problems"])


def test_a_take_is_made_of_a_whole_shot_only(client: TestClient, engine: HandEngine) -> None:
    project = client.post("/api/projects", json={"name": "Film"}).json()["id"]
    shot = client.post(f"/api/projects/{project}/shots", json={"shot": SHOT}).json()
    take = client.post(f"/api/shots/{shot['id']}/takes", json={"play": False}).json()
    bad = {**SHOT, "prompt": "", "steps": 4}
    for path in (f"/api/shots/{shot['id']}/takes", f"/api/takes/{take['id']}/fork"):
        answer = client.post(path, json={"shot": bad, **({"at": 0} if "fork" in path else {})})
        assert (answer.status_code, answer.json()["field"]) == (422, "shot.prompt")
        assert answer.json()["problems"][0]["sentence"] == "Say what the clip shows."
    assert len(client.get(f"/api/projects/{project}/takes").json()["takes"]) == 1
    assert client.get(f"/api/shots/{shot['id']}").json()["revision"] == 1


def test_every_kind_of_instruction_says_what_it_needs() -> None:
    @given(shots())
    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    def check(shot: Shot) -> None:
        for instruction in shot.instructions:
            first, *more = needs(instruction)
            assert first.partition(".")[0] == instruction.kind
            assert set(more) <= {"trajectory.unnamed", "image.later"}

    check()
