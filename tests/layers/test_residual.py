"""Tests of bigmodel_lib/layers/residual.py."""

import pytest
import torch
from torch import Tensor, nn

from bigmodel_lib.layers.residual import BasicBlock, Bottleneck


def randomise(module: nn.Module) -> nn.Module:
    """Fresh norms multiply by one and add zero; a forgotten one should show."""
    for parameter in module.parameters():
        if parameter.dim() == 1:
            nn.init.normal_(parameter)
    return module


def copy_in_order(ours: nn.Module, theirs: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """Both register their layers in the order of the computation, the shortcut apart."""
    pairs = []
    for part in (False, True):
        mine = [p for n, p in ours.named_parameters() if ("shortcut" in n) == part]
        other = [p for n, p in theirs.named_parameters() if ("shortcut" in n) == part]
        pairs += zip(mine, other, strict=True)
    for a, b in pairs:
        b.data.copy_(a.data)
    return pairs


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("in_channels", "stride"), [(4, 1), (3, 1), (4, 2), (3, 2)])
@pytest.mark.parametrize("sizes", [(7, 5), (1, 1)])
def test_basic_block_matches_the_published_one(in_channels, stride, sizes, training, assert_parity):
    resnet = pytest.importorskip("transformers.models.resnet.modeling_resnet")
    ours = randomise(BasicBlock(in_channels, 4, stride=stride))
    theirs = resnet.ResNetBasicLayer(in_channels, 4, stride=stride)
    pairs = copy_in_order(ours, theirs)
    x = torch.randn(3, in_channels, *sizes)

    assert_parity(ours.train(training)(x), theirs.train(training)(x), pairs)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize(("in_channels", "stride"), [(8, 1), (3, 1), (8, 2), (3, 2)])
@pytest.mark.parametrize("sizes", [(7, 5), (1, 1)])
def test_bottleneck_matches_the_published_one(in_channels, stride, sizes, training, assert_parity):
    """The stride is in the 3×3 convolution, as in the released weights."""
    resnet = pytest.importorskip("transformers.models.resnet.modeling_resnet")
    ours = randomise(Bottleneck(in_channels, 2, stride=stride))
    theirs = resnet.ResNetBottleNeckLayer(in_channels, 8, stride=stride)
    pairs = copy_in_order(ours, theirs)
    x = torch.randn(3, in_channels, *sizes)

    assert_parity(ours.train(training)(x), theirs.train(training)(x), pairs)


@pytest.mark.parametrize(("block", "last"), [(BasicBlock, "second"), (Bottleneck, "widen")])
def test_a_block_that_has_learned_nothing_passes_its_input(block, last):
    """With the last scale at zero the sum is the input, up to the ReLU."""
    layer, x = block(4 * block.expansion, 4), torch.randn(2, 4 * block.expansion, 5, 5)
    getattr(layer, f"norm_{last}").weight.data.zero_()
    torch.testing.assert_close(layer(x), x.relu())


def test_parameters_of_a_bottleneck_by_hand():
    """256 → 64 → 64 → 256, as in the first stage of ResNet-50."""
    weights, norms = 256 * 64 + 64 * 64 * 9 + 64 * 256, 2 * (64 + 64 + 256)
    assert sum(p.numel() for p in Bottleneck(256, 64).parameters()) == weights + norms


def test_refuses_other_channels():
    with pytest.raises(ValueError, match=r"x must have shape \(B, 4, H, W\), got \(1, 3, 5, 5\)"):
        BasicBlock(4, 4)(torch.zeros(1, 3, 5, 5))
    with pytest.raises(ValueError, match="stride must be at least 1, got 0"):
        Bottleneck(4, 4, stride=0)
