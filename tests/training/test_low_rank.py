"""Low-rank changes of frozen weights: silent at first, trained alone, and written as LoRA files are."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from rehearse.training.low_rank import add_low_rank, low_rank_state


def net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.SiLU(), nn.Conv2d(8, 6, 1), nn.Flatten(), nn.Linear(96, 4)
    )


def test_it_changes_nothing_at_first_and_then_only_by_its_rank() -> None:
    changed, x = net(), torch.randn(2, 3, 4, 4)
    before = {name: value.clone() for name, value in changed.state_dict().items()}
    said = changed(x)
    assert add_low_rank(changed, 2, lambda name: name != "2") == ["0", "4"]
    assert torch.equal(changed(x), said)
    for p in changed[2].parameters():
        p.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in changed.parameters() if p.requires_grad and p.ndim > 1], lr=0.5)
    for _ in range(3):
        optimizer.zero_grad()
        changed(x).square().mean().backward()
        optimizer.step()
    first: Any = changed[0]
    gone = (first.weight - before["0.weight"]).flatten(1)
    assert gone.abs().max() > 0 and torch.linalg.matrix_rank(gone) <= 2
    assert torch.equal(first.parametrizations.weight.original, before["0.weight"])


def test_what_comes_out_is_the_change_as_a_lora_file_names_it() -> None:
    changed = net()
    add_low_rank(changed, 3, lambda name: True)
    for name, p in changed.named_parameters():
        if name.endswith("up"):
            nn.init.normal_(p)
    state = low_rank_state(changed, "unet")
    assert state["unet.0.lora_A.weight"].shape == (3, 3, 3, 3)
    assert state["unet.0.lora_B.weight"].shape == (8, 3, 1, 1)
    assert state["unet.4.lora_A.weight"].shape == (3, 96) and len(state) == 6
    plain, x = net(), torch.randn(1, 3, 5, 5)
    down, up = state["unet.0.lora_A.weight"], state["unet.0.lora_B.weight"]
    # As peft runs it: a second convolution beside the first.
    beside = nn.functional.conv2d(nn.functional.conv2d(x, down, padding=1), up)
    assert torch.allclose(changed[0](x), plain[0](x) + beside, atol=1e-5)
