"""Tests of bigmodel_lib/layers/linear.py."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.linear import Linear, linear


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("sizes", [(5,), (3, 5), (2, 1, 5), (0, 5)])
def test_matches_torch(sizes, bias):
    ours, theirs, x = Linear(5, 7, bias=bias), nn.Linear(5, 7, bias=bias), torch.randn(sizes)
    theirs.load_state_dict(ours.state_dict())

    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(linear(x, ours.weight, ours.bias), theirs(x))


def test_equation_has_the_gradients_of_torch(assert_parity):
    ours, theirs = Linear(5, 7), nn.Linear(5, 7)
    theirs.load_state_dict(ours.state_dict())
    x, x_theirs = torch.randn(3, 5, requires_grad=True), None
    x_theirs = x.detach().clone().requires_grad_()
    wrt = [(x, x_theirs), (ours.weight, theirs.weight), (ours.bias, theirs.bias)]

    assert_parity(ours(x), theirs(x_theirs), wrt)
    assert_parity(linear(x, ours.weight, ours.bias), theirs(x_theirs), wrt)


def test_two_sums_by_hand():
    x, weight = torch.tensor([1.0, 2.0]), torch.tensor([[3.0, 4.0], [5.0, -6.0]])
    expected = torch.tensor([1 * 3 + 2 * 4 + 0.5, 1 * 5 - 2 * 6 - 0.5])

    torch.testing.assert_close(linear(x, weight, torch.tensor([0.5, -0.5])), expected)


def test_gradcheck():
    x, weight, bias = (
        torch.randn(s, dtype=torch.float64, requires_grad=True) for s in [(2, 3), (4, 3), (4,)]
    )
    assert torch.autograd.gradcheck(linear, (x, weight, bias))


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match=r"x must have shape \(\.\.\., 5\), got \(2, 6\)"):
        Linear(5, 7)(torch.randn(2, 6))
    with pytest.raises(ValueError, match="d_out must be at least 1, got 0"):
        Linear(5, 0)
