"""JSON as files hold it: byte order marks are read, faults are told by their line."""

from __future__ import annotations

import codecs
import json
import shutil
from pathlib import Path

import pytest

import rehearse as rh
from rehearse.json_text import JsonFault, parse_json
from rehearse.models import ModelError
from rehearse.models.registry import find_model
from rehearse.shot import ShotError
from rehearse.takes.folder import FolderError, TakeFolder
from rehearse.training.own.rows import read_rows

ENCODINGS = {
    "UTF-8": b"",
    "UTF-8 with a mark": codecs.BOM_UTF8,
    "UTF-16, little end first": codecs.BOM_UTF16_LE,
    "UTF-16, big end first": codecs.BOM_UTF16_BE,
    "UTF-32": codecs.BOM_UTF32_LE,
}
_CODECS = dict(zip(ENCODINGS, ("utf-8", "utf-8", "utf-16-le", "utf-16-be", "utf-32-le"), strict=True))


def saved(text: str, encoding: str) -> bytes:
    """A text as an editor saves it."""
    return ENCODINGS[encoding] + text.encode(_CODECS[encoding])


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_mark_is_read(encoding: str) -> None:
    assert parse_json(saved('{"prompt": "é"}', encoding)) == {"prompt": "é"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "it is empty"),
        (" \n", "it is empty"),
        ('{"a": 1,\n "b": 2,\n}', "line 3, column 1: there is a comma with nothing behind it"),
        ('{"a": 1\n "b": 2}', "line 2, column 2: a comma is missing before it"),
        ('{\n  // mine\n  "a": 1}', "line 2, column 3: JSON has no comments"),
        ("{'a': 1}", "straight double quotes"),
        ('{"a": \u201cb\u201d}', "straight double quotes"),
        ('{"a": True}', "JSON writes true, false and null"),
        ('{"a": [1, 2', "it ends before it is complete"),
        ('{"a": 1} {"b": 2}', "there is more behind the end"),
        ('{"a": "C:\\models"}', "a backslash in a text is written twice"),
        ("[" * 200_000, "nested too deep"),
        ("[" + "9" * 9999 + "]", "a number in it is too long"),
    ],
)
def test_a_fault_is_told_by_its_place(text: str, sentence: str) -> None:
    with pytest.raises(JsonFault) as caught:
        parse_json(text)
    assert sentence in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_is_read_without_a_mark(encoding: str) -> None:
    assert parse_json('{"prompt": "é"}'.encode(encoding)) == {"prompt": "é"}


def test_bytes_that_are_no_text() -> None:
    with pytest.raises(JsonFault, match="line 2 is not UTF-8 text"):
        parse_json(b'{\n"prompt": "caf\xe9"}')


# Models


@pytest.fixture
def described(tmp_path: Path, video_folder: Path) -> Path:
    """A folder that only its rehearse.json makes a model, standing on a whole one beside it."""
    shutil.copytree(video_folder, tmp_path / "whole")
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "rehearse.json").write_text('{"base": "../whole"}')
    return folder


def refusal(folder: Path) -> str:
    with pytest.raises(ModelError) as caught:
        rh.load_model(str(folder))
    return str(caught.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("name", ["mine/rehearse.json", "whole/model_index.json", "whole/rehearse.json"])
def test_a_models_own_files_are_read_in_any_encoding(described: Path, name: str, encoding: str) -> None:
    file = described.parent / name
    text = file.read_text() if file.exists() else '{"defaults": {"steps": 3}}'
    file.write_bytes(saved(text, encoding))
    assert rh.load_model(str(described)).identity == str(described)


@pytest.mark.parametrize("name", ["rehearse.json", "model_index.json"])
@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "it is empty"),
        (b'{"base": "../whole",}', "line 1, column 21: there is a comma with nothing behind it"),
        (b"[]", "must hold a JSON object"),
        (b'{"a": "\xff"}', "is not UTF-8 text"),
    ],
)
def test_a_file_that_is_there_is_never_called_missing(
    described: Path, name: str, content: bytes, sentence: str
) -> None:
    (described / name).write_bytes(content)
    said = refusal(described)
    assert f"mine/{name}" in said and sentence in said
    assert "no model_index.json" not in said and "missing" not in said


def test_a_link_to_nothing_and_a_folder_are_named(described: Path) -> None:
    (described / "rehearse.json").unlink()
    (described / "rehearse.json").symlink_to(described / "gone.json")
    assert "mine/rehearse.json is a link to a file that is not there" in refusal(described)
    (described / "rehearse.json").unlink()
    (described / "rehearse.json").mkdir()
    assert "mine/rehearse.json cannot be read: is a directory" in refusal(described)


def test_settings_that_name_no_base(described: Path) -> None:
    (described / "rehearse.json").write_text('{"defaults": {}}')
    assert 'its rehearse.json names no "base"' in refusal(described)


def test_a_file_with_an_ending_unseen(described: Path) -> None:
    (described / "rehearse.json").rename(described / "Rehearse.json.txt")
    assert "there is 'Rehearse.json.txt': rename it" in refusal(described)


@pytest.mark.parametrize(
    "name",
    ["unet/config.json", "vae/config.json", "text_encoder/config.json", "tokenizer/tokenizer_config.json"],
)
def test_files_that_a_library_reads_are_named_with_their_fault(described: Path, name: str) -> None:
    file = described.parent / "whole" / name
    text = file.read_text()
    file.write_bytes(saved(text, "UTF-8 with a mark"))
    assert f"{name} begins with a byte order mark" in refusal(described)
    file.write_text(text[:-3])
    assert f"{name} is not readable JSON: line" in refusal(described)


def test_a_scheduler_is_read_in_any_encoding(described: Path) -> None:
    file = described.parent / "whole/scheduler/scheduler_config.json"
    file.write_bytes(saved(file.read_text(), "UTF-16, little end first"))
    assert rh.load_model(str(described)).make_scheduler("ddim") is not None


# Shots, data, takes


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_shot_file_is_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "shot.json"
    file.write_bytes(saved(rh.Shot("a café").to_json(), encoding))
    assert rh.Shot.load(file).prompt == "a café"


def test_a_shot_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "shot.json").write_bytes(b'{"prompt": "caf\xe9"}')
    with pytest.raises(ShotError, match=r"shot\.json: this is not valid JSON: line 1 is not UTF-8 text"):
        rh.Shot.load(tmp_path / "shot.json")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"prompt": "a", "seed": 1, "prompt": "b"}', 'it has "prompt" twice; leave one of them out'),
        ('{"prompt": "a",\n}', "line 2, column 1: there is a comma with nothing behind it"),
        ('{"prompt": "a", "seed": ' + "9" * 9999 + "}", "a number in it is too long"),
    ],
)
def test_a_shot_file_that_is_no_json(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "shot.json").write_text(text)
    with pytest.raises(ShotError) as caught:
        rh.Shot.load(tmp_path / "shot.json")
    assert f"this is not valid JSON: {said}" in str(caught.value)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_rows_are_read_in_any_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_bytes(saved('{"video": "a.mp4", "caption": "a café"}\n', encoding))
    rows, problems = read_rows(file, "lora")
    assert [row.said.caption for row in rows] == ["a café"] and not problems


def test_a_takes_card_is_read_with_a_mark_and_told_by_its_line(tmp_path: Path) -> None:
    card = {
        "format": "rehearse-take", "version": 1, "id": "a" * 32, "model": "m", "fingerprint": "f",
        "shot": {"prompt": "a ball"}, "steps": 4, "frames": 2, "width": 32, "height": 32, "keep": 0,
        "blend": None, "parent": None, "branch_step": None,
    }  # fmt: skip
    file = tmp_path / "take.json"
    file.write_bytes(saved(json.dumps(card), "UTF-8 with a mark"))
    assert TakeFolder.open(tmp_path).shot.prompt == "a ball"
    file.write_text(json.dumps({**card, "version": 7}))
    with pytest.raises(FolderError, match=r"newer Rehearse \(take format version 7.*update Rehearse"):
        TakeFolder.open(tmp_path)
    file.write_text(json.dumps(card)[:-1] + "\n,}")
    with pytest.raises(FolderError, match=r"take\.json is damaged: line 2, column 2"):
        TakeFolder.open(tmp_path)


def test_a_model_whose_files_are_whole_is_still_found(video_folder: Path) -> None:
    assert find_model(str(video_folder)).settings() is not None
