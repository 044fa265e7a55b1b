"""Tests of bigmodel_lib/layers/norms.py."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.norms import (
    BatchNorm,
    LayerNorm,
    RMSNorm,
    batch_norm,
    layer_norm,
    rms_norm,
)


def randomise(module: nn.Module) -> None:
    """Ones and zeros would hide a forgotten weight or bias."""
    for parameter in module.parameters():
        nn.init.normal_(parameter)


@pytest.mark.parametrize("eps", [1e-5, 1e-12, 0.5])  # the last one cannot hide
@pytest.mark.parametrize("sizes", [(2, 3, 7), (7,), (1, 1, 7)])
def test_layer_norm_matches_torch(sizes, eps, assert_parity):
    ours, theirs, x = LayerNorm(7, eps=eps), nn.LayerNorm(7, eps=eps), torch.randn(sizes)
    randomise(ours)
    theirs.load_state_dict(ours.state_dict())
    wrt = list(zip(ours.parameters(), theirs.parameters(), strict=True))

    assert_parity(ours(x), theirs(x), wrt)
    assert_parity(layer_norm(x, ours.weight, ours.bias, eps), theirs(x), wrt)


def test_layer_norm_without_a_shift(assert_parity):
    ours, theirs, x = LayerNorm(7, bias=False), nn.LayerNorm(7, bias=False), torch.randn(3, 7)
    randomise(ours)
    theirs.load_state_dict(ours.state_dict())
    assert_parity(ours(x), theirs(x), [(ours.weight, theirs.weight)])


@pytest.mark.parametrize("eps", [1e-5, 1e-6])
@pytest.mark.parametrize("sizes", [(2, 3, 7), (7,), (1, 1, 7)])
def test_rms_norm_matches_torch(sizes, eps, assert_parity):
    ours, theirs, x = RMSNorm(7, eps=eps), nn.RMSNorm(7, eps=eps), torch.randn(sizes)
    randomise(ours)
    theirs.load_state_dict(ours.state_dict())
    wrt = [(ours.weight, theirs.weight)]

    assert_parity(ours(x), theirs(x), wrt)
    assert_parity(rms_norm(x, ours.weight, eps), theirs(x), wrt)


@pytest.mark.parametrize(
    ("sizes", "reference"),
    [((5, 3), nn.BatchNorm1d), ((2, 3, 7), nn.BatchNorm1d), ((1, 3, 5, 7), nn.BatchNorm2d)],
)
def test_batch_norm_matches_torch(sizes, reference, assert_parity):
    """While training, what it then remembers, and at evaluation."""
    ours, theirs = BatchNorm(3), reference(3)
    randomise(ours)
    theirs.load_state_dict(ours.state_dict(), strict=False)
    wrt = list(zip(ours.parameters(), theirs.parameters(), strict=True))
    for _ in range(3):
        x = 2 * torch.randn(sizes) + 1
        assert_parity(ours(x), theirs(x), wrt)
        assert_parity(batch_norm(x, ours.weight, ours.bias), theirs(x), wrt)
        ours(x)  # theirs has seen the batch twice

    torch.testing.assert_close(ours.running_mean, theirs.running_mean)
    torch.testing.assert_close(ours.running_var, theirs.running_var)
    assert_parity(ours.eval()(x), theirs.eval()(x), wrt)


@pytest.mark.parametrize(
    ("function", "n_arguments"), [(layer_norm, 3), (rms_norm, 2), (batch_norm, 3)]
)
def test_gradcheck(function, n_arguments):
    sizes = [(4, 3), (3,), (3,)][:n_arguments]
    inputs = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in sizes]
    assert torch.autograd.gradcheck(function, inputs)


def test_by_hand():
    """(1, 3) has mean 2 and variance 1; (3, 4) has mean square 12.5; nothing is learned yet."""
    one, zero = torch.ones(2), torch.zeros(2)
    torch.testing.assert_close(
        layer_norm(torch.tensor([1.0, 3.0]), one, zero, 0.0), torch.tensor([-1.0, 1.0])
    )
    torch.testing.assert_close(
        rms_norm(torch.tensor([3.0, 4.0]), one, 0.0), torch.tensor([3.0, 4.0]) / 12.5**0.5
    )
    torch.testing.assert_close(
        batch_norm(torch.tensor([[1.0, 10.0], [3.0, 30.0]]), one, zero, 0.0),
        torch.tensor([[-1.0, -1.0], [1.0, 1.0]]),
    )


def test_a_constant_vector_is_not_divided_by_zero():
    assert torch.equal(LayerNorm(4)(torch.full((1, 4), 7.0)), torch.zeros(1, 4))
    assert torch.equal(RMSNorm(4)(torch.zeros(1, 4)), torch.zeros(1, 4))


def test_at_evaluation_an_example_does_not_depend_on_its_neighbours():
    layer, x = BatchNorm(3), torch.randn(8, 3)
    alone = lambda: layer(x)[0] - layer(x[:4])[0]  # noqa: E731
    assert alone().abs().max() > 1e-3
    layer.eval()
    torch.testing.assert_close(alone(), torch.zeros(3))


def test_scale_of_the_input_does_not_matter():
    x = torch.randn(3, 16)
    torch.testing.assert_close(RMSNorm(16)(1000 * x), RMSNorm(16)(x), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(LayerNorm(16)(1000 * x + 5), LayerNorm(16)(x), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: LayerNorm(4)(torch.randn(2, 5)), r"x must have shape \(\.\.\., 4\), got \(2, 5\)"),
        (lambda: RMSNorm(4)(torch.randn(2, 5)), r"x must have shape \(\.\.\., 4\), got \(2, 5\)"),
        (lambda: BatchNorm(4)(torch.randn(2, 5, 1)), r"\(B, 4, \.\.\.\), got \(2, 5, 1\)"),
        (lambda: BatchNorm(4)(torch.randn(4)), r"\(B, 4\), got \(4,\)"),
        (lambda: BatchNorm(4)(torch.randn(1, 4)), r"more than one value.*\(1, 4\)"),
        (lambda: BatchNorm(0), "n_channels must be at least 1, got 0"),
        (lambda: LayerNorm(0), "d_model must be at least 1, got 0"),
        (lambda: RMSNorm(-3), "d_model must be at least 1, got -3"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
