"""Tests of bigmodel_lib/layers/inception.py."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bigmodel_lib.layers.inception import InceptionBlock

CHANNELS = (2, 3, 5, 1, 2, 3)


def reference(block: InceptionBlock, x: torch.Tensor, wide_kernel: int) -> torch.Tensor:
    """The figure of the paper, from PyTorch's functions and the block's parameters in order."""
    w = list(block.parameters())
    point = F.conv2d(x, w[0], w[1]).relu()
    three = F.conv2d(F.conv2d(x, w[2], w[3]).relu(), w[4], w[5], padding=1).relu()
    wide = F.conv2d(F.conv2d(x, w[6], w[7]).relu(), w[8], w[9], padding=wide_kernel // 2).relu()
    pool = F.conv2d(F.max_pool2d(x, 3, 1, 1), w[10], w[11]).relu()
    return torch.cat([point, three, wide, pool], dim=1)


@pytest.mark.parametrize("wide_kernel", [3, 5])
@pytest.mark.parametrize("sizes", [(7, 11), (1, 1)])
def test_is_the_figure_of_the_paper(wide_kernel, sizes, assert_parity):
    block = InceptionBlock(4, CHANNELS, wide_kernel=wide_kernel)
    for parameter in block.parameters():
        if parameter.dim() == 1:
            nn.init.uniform_(parameter, 0.1, 1)  # above zero, so that few units are dead
    x = torch.randn(3, 4, *sizes)

    y = block(x)

    assert y.shape[1] == block.out_channels == 2 + 5 + 2 + 3
    wrt = [(p, p) for p in block.parameters()]
    assert_parity(y, reference(block, x, wide_kernel), wrt)


@pytest.mark.parametrize(
    ("in_channels", "row", "thousands"),
    [(192, (64, 96, 128, 16, 32, 32), 159), (256, (128, 128, 192, 32, 96, 64), 380)],
)
def test_weights_match_table_1(in_channels, row, thousands):
    """Rows 3a and 3b; its numbers fit the weights without biases, in units of 1,024."""
    block = InceptionBlock(in_channels, row)
    weights = sum(p.numel() for p in block.parameters() if p.dim() > 1)
    assert weights / 1024 == pytest.approx(thousands, abs=1)


def test_norms_replace_biases():
    plain, normed = InceptionBlock(4, CHANNELS), InceptionBlock(4, CHANNELS, batch_norm=True)
    convs = [m for m in normed.modules() if isinstance(m, nn.Conv2d)]
    assert len(convs) == 6
    assert all(m.bias is None for m in convs)
    n_outputs = sum(m.out_channels for m in convs)
    count = lambda m: sum(p.numel() for p in m.parameters())  # noqa: E731
    assert count(normed) - count(plain) == n_outputs  # scale and shift instead of a bias

    y = normed(3 + 100 * torch.randn(8, 4, 9, 9))  # any scale comes out near one
    assert 0.3 < y.mean() < 0.5  # a standard normal, after a ReLU, has mean 0.399
    y.square().sum().backward()
    assert all(p.grad.any() for p in normed.parameters())


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: InceptionBlock(4, (1, 2, 3)), r"six numbers, got 3: \(1, 2, 3\)"),
        (lambda: InceptionBlock(4, CHANNELS, wide_kernel=4), "wide_kernel must be odd.*got 4"),
        (lambda: InceptionBlock(4, (2, 3, 0, 1, 2, 3)), "smallest_of_channels.*1, got 0"),
        (lambda: InceptionBlock(4, CHANNELS)(torch.zeros(1, 3, 5, 5)), r"\(B, 4, H, W\), got"),
    ],
)
def test_mistakes_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
