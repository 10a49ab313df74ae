"""Sharded parameters come whole out of FSDP and go back, so that checkpoints do not depend on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from toy_cogvideox import toy_transformer

from rehearse.training.own.partly_trained import PartlyTrained
from rehearse.training.own.sharded import as_part, whole


@pytest.fixture
def group(tmp_path: Path) -> Iterator[None]:
    import torch.distributed as dist

    dist.init_process_group("gloo", init_method=f"file://{tmp_path / 'meeting'}", rank=0, world_size=1)
    yield
    dist.destroy_process_group()


def test_whole_and_back(group: None) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    plain = toy_transformer().state_dict()
    sharded = toy_transformer()
    fully_shard(sharded, mesh=init_device_mesh("cpu", (1,)))
    for name, parameter in sharded.named_parameters():
        assert hasattr(parameter, "device_mesh")
        assert torch.equal(whole(parameter), plain[name])
        back = as_part(plain[name], parameter)
        assert torch.equal(whole(back), plain[name])
        assert back.placements == parameter.placements


def test_what_is_kept_of_a_layer_stays_under_fsdp(group: None) -> None:
    from torch.distributed.device_mesh import init_device_mesh
    from torch.distributed.fsdp import fully_shard

    torch.manual_seed(0)
    image = torch.randn(2, 9, 8, 8)
    plain = torch.nn.Conv2d(9, 6, 3, padding=1)
    layer = PartlyTrained(plain, kept=4)
    assert layer.state_dict().keys() == plain.state_dict().keys()
    assert torch.equal(layer(image), plain(image))
    before = plain.weight.detach().clone()
    model = torch.nn.Sequential(layer)
    fully_shard(model, mesh=init_device_mesh("cpu", (1,)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.1, weight_decay=0.0)
    for _ in range(3):
        model(image).square().mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    after = whole(model[0].weight)
    assert torch.equal(after[:, :4], before[:, :4])
    assert not torch.equal(after[:, 4:], before[:, 4:])
