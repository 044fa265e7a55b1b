"""Tests of bigmodel_lib/models/mlp.py."""

import pytest
import torch

from bigmodel_lib.configs.mlp import MNIST_MLP, REGRESSOR, MLPConfig
from bigmodel_lib.models.mlp import MLP


def test_two_levels_are_the_documents_network():
    """fc2(relu(fc1(flatten(x)))), written out."""
    model, x = MLP(MNIST_MLP), torch.randn(3, 28, 28)
    first, second = model.layers[1], model.layers[3]
    hidden = (x.flatten(1) @ first.weight.T + first.bias).clamp(min=0)

    torch.testing.assert_close(model(x), hidden @ second.weight.T + second.bias)


def test_one_hidden_unit_by_hand():
    """2 · max(0, 3 − 1 + 0.5) + 1 = 6, and a negative sum is cut off: 2 · 0 + 1 = 1."""
    model = MLP(MLPConfig(widths=(2, 1, 1)))
    for parameter, value in zip(
        model.parameters(), ([[1.0, -1.0]], [0.5], [[2.0]], [1.0]), strict=True
    ):
        parameter.data = torch.tensor(value)

    assert model(torch.tensor([[3.0, 1.0], [1.0, 3.0]])).tolist() == [[6.0], [1.0]]


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (MNIST_MLP, 784 * 128 + 128 + 128 * 10 + 10),
        (REGRESSOR, 10 * 20 + 20 + 20 * 1 + 1),
        (MLPConfig(widths=(7, 5, 3, 2)), 7 * 5 + 5 + 5 * 3 + 3 + 3 * 2 + 2),
        (MLPConfig(widths=(4, 3)), 4 * 3 + 3),
    ],
    ids=lambda value: str(getattr(value, "widths", "")),
)
def test_parameter_count_by_hand(config, expected):
    model = MLP(config)
    assert sum(p.numel() for p in model.parameters()) == expected
    assert model(torch.randn(2, config.widths[0])).shape == (2, config.widths[-1])


def test_every_parameter_receives_a_gradient():
    model = MLP(REGRESSOR)
    model(torch.randn(64, 10)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


@pytest.mark.parametrize("shape", [(2, 27, 28), (784,)], ids=["wrong size", "no batch"])
def test_refuses_examples_of_another_size(shape):
    message = rf"each example must hold 784 values, got \d+ from an input of shape \({shape[0]}"
    with pytest.raises(ValueError, match=message):
        MLP(MNIST_MLP)(torch.zeros(shape))
