"""What a shot may be run with, and will mean less than it seems to."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from fastapi.testclient import TestClient

from rehearse.cards import Defaults, Limits, ModelCard
from rehearse.studio.limits import ServerLimits
from rehearse.studio.model_facts import facts_of
from rehearse.studio.readiness import problems_of
from rehearse.studio.remarks import notes_of


def mended(draft: dict[str, Any], patch: list[Any]) -> dict[str, Any]:
    draft = copy.deepcopy(draft)
    for operation in patch:
        *way, last = operation.path.strip("/").split("/")
        at: Any = draft
        for part in way:
            at = at[int(part) if isinstance(at, list) else part]
        if operation.op == "remove":
            del at[last]
        else:
            at[last] = operation.value
    return draft


@pytest.mark.parametrize(
    ("draft", "field", "sentence"),
    [
        ({"prompt": "a (red ball:1.3)"}, "prompt", "“(red ball:1.3)”: weights are not read here"),
        ({"prompt": "a ball", "negative_prompt": "<lora:x:1> bad"}, "negative_prompt", "LoRAs are not read"),
        (
            {"prompt": "x", "instructions": [{"kind": "motion", "text": "it [runs]"}]},
            "instructions[0].text",
            "weights",
        ),
        ({"prompt": "x", "negative_prompt": "y", "guidance": 1}, "negative_prompt", "counts for nothing"),
    ],
)
def test_a_note_names_the_field_and_its_fix_mends_it(
    draft: dict[str, Any], field: str, sentence: str
) -> None:
    (note,) = notes_of(draft)
    assert note.field == field and sentence in note.sentence
    assert not notes_of(mended(draft, note.fixes[0].patch))


@pytest.mark.parametrize(
    "draft",
    [
        {},
        {"prompt": "a red ball (far away)"},
        {"prompt": "x", "guidance": 1},
        {"prompt": 7, "instructions": [3]},
    ],
)
def test_nothing_is_said_of_plain_words(draft: dict[str, Any]) -> None:
    assert notes_of(draft) == []


def test_a_closed_vocabulary_tells_syntax_and_not_its_pieces() -> None:
    card = ModelCard(
        "toy", "toy", frozenset(), Defaults(8, 64, 64, 8.0, 4, 2.0, "ddim"),
        Limits(max_frames=None, size_multiple=8, max_tokens=16, vocabulary=frozenset({"a", "ball", "red"})),
    )  # fmt: skip
    model = facts_of("toy", card)
    draft = {"prompt": "a (red zebra:1.3)", "model": "toy"}
    told = problems_of(draft, [model], ServerLimits(further_models=("toy",)))
    assert [problem.sentence.partition(":")[0] for problem in told] == [
        "“(red zebra", "toy does not know “zebra”.",
    ]  # fmt: skip
    again = problems_of(mended(draft, told[0].fixes[0].patch), [model], ServerLimits(further_models=("toy",)))
    assert len(again) == 1 and "zebra" in again[0].sentence


def test_a_shot_s_view_has_its_notes(client: TestClient) -> None:
    project = client.post("/api/projects", json={"name": "Film"}).json()["id"]
    shot = {"prompt": "a [red] ball", "model": "toy"}
    view = client.post(f"/api/projects/{project}/shots", json={"shot": shot}).json()
    assert [note["field"] for note in view["notes"]] == ["prompt"]
