"""Tests of bigmodel_lib/layers/activations.py."""

from functools import partial

import pytest
import torch
from torch.nn import functional as F

from bigmodel_lib.layers import activations

PAIRS = {
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": partial(F.gelu, approximate="tanh"),
    "silu": F.silu,
}


@pytest.mark.parametrize("name", PAIRS)
def test_matches_torch_in_value_and_slope(name, assert_parity):
    ours = torch.cat([torch.linspace(-9, 9, 301), torch.zeros(1)]).requires_grad_()
    theirs = ours.detach().clone().requires_grad_()

    assert_parity(getattr(activations, name)(ours), PAIRS[name](theirs), [(ours, theirs)])


@pytest.mark.parametrize("name", PAIRS)
def test_gradcheck(name):
    x = torch.tensor([-19.0, -3.0, -0.7, 0.2, 1.0, 4.0, 19.0], dtype=torch.float64)
    assert torch.autograd.gradcheck(getattr(activations, name), (x.requires_grad_(),))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
@pytest.mark.parametrize("name", PAIRS)
def test_huge_numbers_do_no_harm(name, dtype):
    """Where eˣ overflows, values stay right and slopes are not NaN."""
    x = torch.tensor([-30_000.0, -800.0, -90.0, 90.0, 800.0, 30_000.0], dtype=dtype)
    if "gelu" in name and dtype == torch.float16:
        x = x.clamp(-90, 90) / 3  # its cube is beyond the dtype
    x.requires_grad_()
    y = getattr(activations, name)(x)
    y.sum().backward()

    tolerance = 4 * torch.finfo(dtype).eps
    torch.testing.assert_close(y, PAIRS[name](x.detach()), rtol=tolerance, atol=tolerance)
    wanted = (x.detach() > 0).to(dtype) if name not in ("sigmoid", "tanh") else torch.zeros_like(x)
    torch.testing.assert_close(x.grad, wanted, rtol=tolerance, atol=4 * tolerance)


@pytest.mark.parametrize(
    ("name", "x", "y"),
    [
        ("sigmoid", 0.0, 0.5),
        ("sigmoid", 1.0, 0.7310585786),  # e / (1 + e)
        ("tanh", 0.5, 0.4621171573),  # (e - 1) / (e + 1)
        ("relu", -2.0, 0.0),
        ("relu", 2.0, 2.0),
        ("gelu", 1.0, 0.8413447461),  # Φ(1)
        ("gelu_tanh", 1.0, 0.8411919906),
        ("silu", 1.0, 0.7310585786),
    ],
)
def test_by_hand(name, x, y):
    assert getattr(activations, name)(torch.tensor(x)).item() == pytest.approx(y, rel=1e-5)


def test_a_small_tanh_keeps_its_digits():
    x = torch.tensor([1e-6, -1e-6])
    torch.testing.assert_close(activations.tanh(x), x, rtol=1e-6, atol=0)


def test_two_gelus_are_close_but_not_equal():
    x = torch.linspace(-4, 4, 101)
    difference = (activations.gelu(x) - activations.gelu_tanh(x)).abs().max().item()
    assert 1e-4 < difference < 1e-3
