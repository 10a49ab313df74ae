"""The attention loss where rows have different numbers of masks."""

from __future__ import annotations

import torch

from rehearse.training.own.losses import column_error, over_present


def _drawn(roles: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(roles)
    return (
        torch.rand(3, 4, roles, 12, generator=generator).requires_grad_(),
        torch.rand(4, roles, 12, generator=generator),
    )


def test_a_row_with_two_masks_takes_nothing_from_the_others() -> None:
    columns, masks = _drawn(2)
    present = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    alone = column_error(columns[:, 1:, :1], masks[1:, :1], torch.ones(3, 1))
    both = column_error(columns[:, :1], masks[:1], torch.ones(1, 2))
    torch.testing.assert_close(column_error(columns, masks, present), (3 * alone + both) / 4)


def test_one_mask_is_what_it_always_was() -> None:
    for present in (torch.ones(4, 1), torch.tensor([[1.0], [0.0], [1.0], [1.0]]), torch.zeros(4, 1)):
        columns, masks = _drawn(1)
        now = column_error(columns, masks, present)
        before = ((columns - masks).square().mean(dim=-1) * present).mean()
        assert torch.equal(now, before)
        (gradient,) = torch.autograd.grad(now, columns)
        assert torch.equal(gradient, torch.autograd.grad(before, columns)[0])


def test_nothing_present_counts_as_nothing() -> None:
    assert over_present(torch.ones(2, 2), torch.zeros(2, 2)).tolist() == [0.0, 0.0]
