"""Pickles of weights become safetensors in a process of their own, and nothing else is taken from them."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from rehearse.models import ModelError
from rehearse.models.convert import convert_weights

WEIGHTS = {"a.weight": torch.arange(6.0).view(2, 3).T, "a.bias": torch.ones(3, dtype=torch.bfloat16)}


@pytest.mark.parametrize(
    ("content", "left"),
    [
        (WEIGHTS, ()),
        ({**WEIGHTS, "epoch": 3}, ("epoch",)),
        ({"state_dict": WEIGHTS, "epoch": 3}, ("epoch",)),
        ({"module": {"model": WEIGHTS}}, ()),
    ],
)
def test_tensors_come_over_bit_for_bit_wherever_they_lie(
    tmp_path: Path, content: Any, left: tuple[str, ...]
) -> None:
    torch.save(content, tmp_path / "w.pth")
    made, told = convert_weights(tmp_path / "w.pth")
    assert made == tmp_path / "w.safetensors" and told == left
    found = load_file(made)
    assert found.keys() == WEIGHTS.keys() and all(torch.equal(found[n], x) for n, x in WEIGHTS.items())
    assert all(found[name].dtype == value.dtype for name, value in WEIGHTS.items())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["w.pth", "w.safetensors"]


def test_tied_weights_and_the_names_of_transformers(tmp_path: Path) -> None:
    shared = torch.ones(4)
    torch.save({"shared": shared, "tied": shared}, tmp_path / "pytorch_model.bin")
    made, _ = convert_weights(tmp_path / "pytorch_model.bin")
    assert made.name == "model.safetensors" and load_file(made).keys() == {"shared", "tied"}
    other, _ = convert_weights(tmp_path / "pytorch_model.bin", tmp_path / "new" / "x.safetensors")
    assert other.is_file()


class Trap:
    """What a hostile pickle does when it is loaded: here, it makes a file."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return Path.touch, (self.place,)


def test_a_pickle_that_would_run_code_is_refused_and_runs_none(tmp_path: Path) -> None:
    torch.save({"a": torch.ones(2), "trap": Trap(tmp_path / "ran")}, tmp_path / "bad.pth")
    (tmp_path / "plain.bin").write_bytes(pickle.dumps(Trap(tmp_path / "ran")))
    for name in ("bad.pth", "plain.bin"):
        with pytest.raises(
            ModelError, match="holds more than tensors, so that loading it could run code; ask for"
        ):
            convert_weights(tmp_path / name)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.pth", "plain.bin"]


def test_what_cannot_be_converted_is_told_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "torn.pth").write_bytes(b"PK\x03\x04 torn")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save(WEIGHTS, tmp_path / "w.pth")
    (tmp_path / "w.safetensors").write_bytes(b"mine")
    for name, output, said in (
        ("gone.pth", None, "there is no file"),
        ("torn.pth", None, "is no file of tensors that can be read"),
        ("list.pth", None, "has no tensors by name in it"),
        ("w.safetensors", None, "is safetensors already"),
        ("w.pth", None, "is there already; move it away, or name another with -o"),
        ("w.pth", tmp_path / "x.bin", "does not end in .safetensors"),
    ):
        with pytest.raises(ModelError) as caught:
            convert_weights(tmp_path / name, output)
        assert said in str(caught.value) and "\n" not in str(caught.value)
    assert (tmp_path / "w.safetensors").read_bytes() == b"mine"
