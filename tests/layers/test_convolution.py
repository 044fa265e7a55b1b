"""Tests of bigmodel_lib/layers/convolution.py."""

import pytest
import torch
from torch import nn

from bigmodel_lib.layers.convolution import Convolution, convolution, windows


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (1, 1), (2, 0), (2, 3), (3, 1)])
@pytest.mark.parametrize(("kernel_size", "sizes"), [(1, (5, 7)), (3, (7, 11)), (5, (5, 5))])
@pytest.mark.parametrize("bias", [False, True])
def test_equation_and_layer_match_torch(kernel_size, sizes, stride, padding, bias, assert_parity):
    how = {"stride": stride, "padding": padding}
    ours = Convolution(3, 5, kernel_size, bias=bias, **how)
    theirs = nn.Conv2d(3, 5, kernel_size, bias=bias, **how)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(2, 3, *sizes, requires_grad=True)
    wrt = [(x, x), *zip(ours.parameters(), theirs.parameters(), strict=True)]

    assert_parity(ours(x), theirs(x), wrt)
    assert_parity(convolution(x, ours.weight, ours.bias, **how), theirs(x), wrt)


def test_filters_need_not_be_square():
    x, weight = torch.randn(1, 2, 5, 6), torch.randn(4, 2, 3, 1)
    torch.testing.assert_close(convolution(x, weight), nn.functional.conv2d(x, weight))


def test_is_a_correlation_and_not_flipped():
    """Against signal processing, which has both: ours is its correlation."""
    signal = pytest.importorskip("scipy.signal")
    image, filters = torch.randn(6, 7), torch.randn(3, 2)
    y = convolution(image[None, None], filters[None, None])[0, 0]
    flipped = convolution(image[None, None], filters.flip(0, 1)[None, None])[0, 0]

    correlation = torch.from_numpy(signal.correlate2d(image, filters, mode="valid"))
    true_convolution = torch.from_numpy(signal.convolve2d(image, filters, mode="valid"))
    torch.testing.assert_close(y, correlation)
    torch.testing.assert_close(flipped, true_convolution)
    assert not torch.allclose(y, true_convolution)


def test_an_edge_by_hand():
    """The filter (-1, 1) finds where dark turns to bright."""
    image = torch.tensor([[[[0.0, 0.0, 5.0, 5.0]]]])
    y = convolution(image, torch.tensor([[[[-1.0, 1.0]]]]), torch.tensor([0.5]))
    assert torch.equal(y, torch.tensor([[[[0.5, 5.5, 0.5]]]]))


def test_shifting_the_image_shifts_the_answer():
    layer, x = Convolution(2, 3, 3), torch.randn(1, 2, 8, 8)
    shifted = x.roll(1, dims=-1)
    torch.testing.assert_close(layer(shifted)[..., 1:], layer(x)[..., :-1])


def test_windows_are_a_view():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    seen = windows(x, (2, 2), 2)
    assert seen.shape == (1, 1, 2, 2, 2, 2)
    assert torch.equal(seen[0, 0, 0, 1], torch.tensor([[2.0, 3.0], [6.0, 7.0]]))
    assert seen.data_ptr() == x.data_ptr()


def test_gradcheck():
    x, weight, bias = (
        torch.randn(s, dtype=torch.float64, requires_grad=True)
        for s in [(1, 2, 4, 5), (3, 2, 3, 2), (3,)]
    )
    assert torch.autograd.gradcheck(
        lambda *a: convolution(*a, stride=2, padding=1), (x, weight, bias)
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Convolution(3, 4, 3)(torch.zeros(1, 2, 8, 8)), r"\(B, 3, H, W\), got \(1, 2, 8"),
        (lambda: Convolution(3, 4, 3)(torch.zeros(3, 8, 8)), r"\(B, 3, H, W\), got \(3, 8, 8\)"),
        (lambda: Convolution(1, 1, 5, padding=1)(torch.zeros(1, 1, 2, 9)), "5×5.*4×11"),
        (lambda: convolution(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 3, 3)), "3×3.*2×2"),
        (lambda: Convolution(0, 4, 3), "in_channels must be at least 1, got 0"),
        (lambda: Convolution(3, 4, 3, stride=0), "stride must be at least 1, got 0"),
        (lambda: Convolution(3, 4, 3, padding=-1), "padding must be at least 0, got -1"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
