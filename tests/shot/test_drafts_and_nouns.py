"""Shots that are not finished, and what a prompt speaks of."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shot_strategies import shots

from rehearse.shot import Shot, ShotError, phrase_spans
from rehearse.shot.draft import check_draft, draft_text, read_draft
from rehearse.shot.nouns import nouns


@given(shots())
def test_every_shot_is_a_draft_of_itself(shot: Shot) -> None:
    document = shot.model_dump(mode="json", exclude_none=True)
    draft = check_draft(document)
    assert draft == document
    assert read_draft(draft_text(draft)) == draft


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([], ""), ({"promt": ""}, "promt"), ({"prompt": 1}, "prompt"), ({"frames": "16"}, "frames"),
        ({"frames": True}, "frames"), ({"frames": float("inf")}, "frames"), ({"seed": 10**400}, "seed"),
        ({"version": 99}, "version"), ({"instructions": {}}, "instructions"),
        ({"instructions": [{"kind": "trajectory", "form": "loop"}]}, "instructions[0].form"),
        ({"instructions": [{"kind": "trajectory", "form": "box",
                            "path": {"keyframes": [{"box": [0, 0, 1]}]}}]},
         "instructions[0].path.keyframes[0].box"),
        ({"instructions": [{"kind": "motion"}] * 300}, "instructions"),
        ({"prompt": "\ud800"}, "prompt"),
    ],
)  # fmt: skip
def test_what_no_desk_could_show_is_no_draft(value: object, field: str) -> None:
    with pytest.raises(ShotError) as caught:
        check_draft(value)
    assert caught.value.field == field


def test_pictures_are_replaced_wherever_they_stand() -> None:
    draft = check_draft(
        {"instructions": [{"kind": "image", "image": "a"}, {"kind": "content", "mask": {"image": "b"}}]},
        lambda uri: f"sha256:{uri}",
    )
    assert [draft["instructions"][0]["image"], draft["instructions"][1]["mask"]["image"]] == [
        "sha256:a", "sha256:b"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("a red ball over the meadow", ["red ball", "meadow"]),
        ("A golden retriever running through a field of tall grass",
         ["golden retriever", "field", "tall grass"]),
        ("the man's hat on the old wooden table", ["man's hat", "old wooden table"]),
        ("", []),
        ("and over the", []),
    ],
)  # fmt: skip
def test_noun_phrases_of_plain_english(prompt: str, found: list[str]) -> None:
    assert [noun.phrase for noun in nouns(prompt)] == found


@given(st.text(max_size=80))
def test_every_noun_of_any_text_stands_in_it(prompt: str) -> None:
    for things in (None, ("ball", "cat")):
        for noun in nouns(prompt, things):
            spans = phrase_spans(prompt, noun.phrase)
            assert spans
            assert noun.occurrence is None or 1 <= noun.occurrence <= len(spans)
