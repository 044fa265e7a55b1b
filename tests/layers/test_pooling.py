"""Tests of bigmodel_lib/layers/pooling.py."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.pooling import (
    AveragePool,
    MaxPool,
    average_pool,
    global_average_pool,
    max_pool,
)


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(2, 3, 7, 11, requires_grad=True)


@pytest.mark.parametrize(
    ("kernel_size", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 1, 1), (1, 1, 0), (7, 7, 0)]
)
def test_max_matches_torch(x, kernel_size, stride, padding, assert_parity):
    ours = MaxPool(kernel_size, stride=stride, padding=padding)
    expected = nn.MaxPool2d(kernel_size, stride, padding)(x)

    assert_parity(ours(x), expected, [(x, x)])
    assert_parity(max_pool(x, kernel_size, stride=stride, padding=padding), expected, [(x, x)])


@pytest.mark.parametrize(("kernel_size", "stride"), [(2, 2), (3, 2), (3, 1), (1, 1), (7, 7)])
def test_average_matches_torch(x, kernel_size, stride, assert_parity):
    expected = nn.AvgPool2d(kernel_size, stride)(x)

    assert_parity(AveragePool(kernel_size, stride=stride)(x), expected, [(x, x)])
    assert_parity(average_pool(x, kernel_size, stride=stride), expected, [(x, x)])


def test_global_average_matches_torch(x, assert_parity):
    assert_parity(global_average_pool(x), nn.AdaptiveAvgPool2d(1)(x).flatten(1), [(x, x)])


def test_windows_tile_the_image_unless_told_otherwise(x):
    torch.testing.assert_close(MaxPool(2)(x), nn.MaxPool2d(2)(x))
    torch.testing.assert_close(AveragePool(2)(x), nn.AvgPool2d(2)(x))


def test_a_window_over_the_edge_is_kept_when_asked_for():
    """GoogLeNet's 112 pixels become 56, not 55."""
    x = torch.randn(1, 1, 112, 112)
    assert MaxPool(3, stride=2)(x).shape[-1] == 55
    torch.testing.assert_close(
        MaxPool(3, stride=2, ceil_mode=True)(x), nn.MaxPool2d(3, 2, ceil_mode=True)(x)
    )
    assert MaxPool(3, stride=2, ceil_mode=True)(x).shape[-1] == 56


def test_four_numbers_by_hand():
    x = torch.tensor([[[[1.0, 2.0], [-3.0, 8.0]]]])
    assert MaxPool(2)(x).item() == 8.0
    assert AveragePool(2)(x).item() == 2.0
    assert global_average_pool(x).tolist() == [[2.0]]


def test_padding_never_wins():
    x = -torch.ones(1, 1, 2, 2)
    assert torch.equal(max_pool(x, 3, stride=1, padding=1), x)
    assert torch.equal(MaxPool(3, stride=1, padding=1)(x), x)


@pytest.mark.parametrize("function", [max_pool, average_pool])
def test_gradcheck(function):
    x = torch.randn(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: function(x, 3, stride=2), (x,))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: MaxPool(4)(torch.zeros(1, 1, 3, 9)), "4×4.*3×9"),
        (lambda: AveragePool(4)(torch.zeros(1, 1, 9, 3)), "4×4.*9×3"),
        (lambda: max_pool(torch.zeros(1, 1, 2, 2), 3, stride=1), "3×3.*2×2"),
        (lambda: MaxPool(2)(torch.zeros(3, 4, 4)), r"\(B, C, H, W\), got \(3, 4, 4\)"),
        (lambda: global_average_pool(torch.zeros(3, 4)), r"\(B, C, H, W\), got \(3, 4\)"),
        (lambda: MaxPool(0), "kernel_size must be at least 1, got 0"),
        (lambda: AveragePool(2, stride=0), "stride must be at least 1, got 0"),
        (lambda: MaxPool(3, padding=2), r"padding \(2\) must be at most half of kernel_size \(3\)"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
