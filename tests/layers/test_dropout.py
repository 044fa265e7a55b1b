"""Tests of bigmodel_lib/layers/dropout.py."""

import pytest
import torch

from bigmodel_lib.layers.dropout import Dropout, dropout


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("how", ["function", "module"])
def test_share_of_zeros_and_mean(p, how):
    """Both follow from a binomial of 100,000 draws; the bounds are five standard errors."""
    x = torch.ones(100_000)
    y = dropout(x, p) if how == "function" else Dropout(p)(x)
    error = 5 * (p * (1 - p) / len(x)) ** 0.5

    assert (y == 0).float().mean().item() == pytest.approx(p, abs=error)
    assert y.mean().item() == pytest.approx(1, abs=error / (1 - p))
    torch.testing.assert_close(y[y != 0], torch.full_like(y[y != 0], 1 / (1 - p)))


def test_survivors_are_scaled_by_hand():
    kept = dropout(torch.tensor([3.0, -6.0] * 8), 0.25)
    assert set(kept.tolist()) == {4.0, -8.0, 0.0, -0.0}


def test_gradient_flows_through_survivors_only():
    x = torch.randn(1000, requires_grad=True)
    y = dropout(x, 0.5)
    y.sum().backward()
    torch.testing.assert_close(x.grad, (y != 0) * 2.0)


def test_gradcheck():
    x = torch.randn(5, dtype=torch.float64, requires_grad=True)

    def repeatable(x: torch.Tensor) -> torch.Tensor:
        return dropout(x, 0.5, torch.Generator().manual_seed(1))

    assert torch.autograd.gradcheck(repeatable, (x,))


def test_a_generator_decides():
    x = torch.randn(100)
    first, again = (dropout(x, 0.5, torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, dropout(x, 0.5, torch.Generator().manual_seed(8)))


def test_nothing_at_evaluation_or_at_zero():
    x = torch.randn(100)
    assert torch.equal(Dropout(0.9).eval()(x), x)
    assert torch.equal(Dropout(0.0)(x), x)
    assert torch.equal(dropout(x, 0.0), x)


@pytest.mark.parametrize("p", [-0.1, 1.0, 50])
def test_refuses_what_is_no_probability(p):
    for call in (lambda: dropout(torch.ones(1), p), lambda: Dropout(p)):
        with pytest.raises(ValueError, match=rf"p must be in \[0, 1\), got {p}"):
            call()
