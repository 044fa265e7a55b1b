"""Tests of bigmodel_lib/models/inception.py."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bigmodel_lib.accounting.parameters import count_parameters, meta_model
from bigmodel_lib.configs.inception import (
    GOOGLENET,
    GOOGLENET_BATCH_NORM,
    TINY,
    InceptionConfig,
)
from bigmodel_lib.models.inception import Inception

# Table 1 of the paper: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection; "M" halves.
TABLE = [
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    "M",
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    "M",
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
]
SMALL = InceptionConfig(
    stages=(((3, 2, 5, 1, 2, 4), (2, 3, 4, 2, 3, 1)), ((4, 2, 3, 3, 5, 2),)),
    stem_channels=(5, 6),
    n_classes=7,
    dropout=0.0,
)


class Restated(nn.Module):
    """The same network as functions and a list of convolutions, in the order of the figure."""

    def __init__(self, config: InceptionConfig) -> None:
        super().__init__()
        self.config, self.convs, self.norms = config, nn.ModuleList(), nn.ModuleList()
        a, b = config.stem_channels
        self.stem = [self.add(config.in_channels, a, 7, 2), self.add(a, a, 1), self.add(a, b, 3)]
        self.rows = []
        for stage in config.stages:
            for p, n3, c3, n5, c5, q in stage:
                sizes = [(b, p, 1), (b, n3, 1), (n3, c3, 3), (b, n5, 1)]
                sizes += [(n5, c5, config.wide_kernel), (b, q, 1)]
                self.rows.append([self.add(*s) for s in sizes])
                b = p + c3 + c5 + q
            self.rows.append("M")
        self.rows.pop()
        self.last = nn.Linear(b, config.n_classes)

    def add(self, n_in: int, n_out: int, size: int, stride: int = 1) -> int:
        norm = self.config.batch_norm
        self.convs.append(nn.Conv2d(n_in, n_out, size, stride, size // 2, bias=not norm))
        self.norms.append(nn.BatchNorm2d(n_out, eps=1e-3) if norm else nn.Identity())
        return len(self.convs) - 1

    def conv(self, x: torch.Tensor, *layers: int) -> torch.Tensor:
        for i in layers:
            x = F.relu(self.norms[i](self.convs[i](x)))
        return x

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        def halve(t):
            return F.max_pool2d(t, 3, 2, ceil_mode=True)

        def local(t):
            return t if self.config.batch_norm else F.local_response_norm(t, 5, 1e-4, 0.75, 1.0)

        first, second, third = self.stem
        x = halve(local(self.conv(local(halve(self.conv(x, first))), second, third)))
        for row in self.rows:
            if row == "M":
                x = halve(x)
                continue
            point, narrow3, three, narrow5, five, project = row
            pooled = F.max_pool2d(x, 3, 1, 1)
            branches = [self.conv(x, point), self.conv(x, narrow3, three)]
            branches += [self.conv(x, narrow5, five), self.conv(pooled, project)]
            x = torch.cat(branches, 1)
        return self.last(x.mean((2, 3)))


def added_up(*, wide: int, bias: bool) -> int:
    """Every weight of the paper's table; a bias, or a scale and a shift, for every filter."""
    convs = [(3, 64, 7), (64, 64, 1), (64, 192, 3)]
    width = 192
    for row in TABLE:
        if row == "M":
            continue
        p, n3, c3, n5, c5, q = row
        convs += [(width, p, 1), (width, n3, 1), (n3, c3, 3)]
        convs += [(width, n5, 1), (n5, c5, wide), (width, q, 1)]
        width = p + c3 + c5 + q
    per_filter = 1 if bias else 2
    return sum(a * b * k * k + per_filter * b for a, b, k in convs) + width * 1_000 + 1_000


def test_parameter_counts_are_the_published_ones():
    """6,998,552 in Caffe's release of the paper's network, 6,624,904 in torchvision's."""
    original = count_parameters(meta_model(lambda: Inception(GOOGLENET)))
    later = count_parameters(meta_model(lambda: Inception(GOOGLENET_BATCH_NORM)))
    assert original == added_up(wide=5, bias=True) == 6_998_552
    assert later == added_up(wide=3, bias=False) == 6_624_904


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("shape", [(2, 65, 51), (1, 64, 64)])
@pytest.mark.parametrize(
    "change", [{}, {"batch_norm": True}, {"wide_kernel": 3, "in_channels": 1}], ids=str
)
def test_output_and_gradients_match_a_restatement(change, shape, training):
    """In double precision: batch norms blow a rounding error up where a variance is small."""
    config = replace(SMALL, **change)
    ours, theirs = Inception(config).double(), Restated(config).double()
    ours.train(training)
    theirs.train(training)
    mine = [m for m in ours.modules() if isinstance(m, nn.Conv2d)] + [ours.to_logits]
    other = [*theirs.convs, theirs.last]
    # What is left are the norms, scale and shift in the same order.
    mine += [m for m in ours.modules() if hasattr(m, "running_mean")]
    other += [m for m in theirs.norms if hasattr(m, "running_mean")]
    pairs = [
        pair
        for a, b in zip(mine, other, strict=True)
        for pair in zip(a.parameters(), b.parameters(), strict=True)
    ]
    assert sum(a.numel() for a, _ in pairs) == count_parameters(ours)
    for a, b in pairs:
        a.data.normal_(std=0.5)
        b.data.copy_(a.data)
    batch, height, width = shape
    images = torch.randn(batch, config.in_channels, height, width, dtype=torch.float64)

    actual, expected = ours(images), theirs(images)
    torch.testing.assert_close(actual, expected)
    actual.square().mean().backward()
    expected.square().mean().backward()
    for a, b in pairs:
        torch.testing.assert_close(a.grad, b.grad)
    torch.testing.assert_close(ours.float()(images.float()), actual.float(), atol=1e-5, rtol=1e-3)


def test_a_photograph_shrinks_32_times_and_ends_with_1024_channels():
    with torch.device("meta"):
        model = Inception(GOOGLENET)
        x = model.stages(model.stem(torch.zeros(1, 3, 224, 224)))
    assert x.shape == (1, 1_024, 7, 7)


def test_small_images_keep_their_size_through_a_small_stem():
    model, images = Inception(TINY), torch.randn(2, 3, 32, 32)
    assert model.stages(model.stem(images)).shape == (2, 40, 16, 16)
    assert model(images).shape == (2, 10)


def test_dropout_acts_in_training_only():
    model, images = Inception(replace(SMALL, dropout=0.5)), torch.randn(2, 3, 64, 64)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 1, 64, 64), r"images must have shape \(B, 3, H, W\), got \(2, 1, 64, 64\)"),
        ((2, 3, 8, 8), "does not fit an image of"),
    ],
)
def test_unfit_images_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        Inception(SMALL)(torch.zeros(shape))
