"""Tests of bigmodel_lib/compression/folding.py."""

import copy
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from bigmodel_lib.compression.folding import fold_norms
from bigmodel_lib.configs import inception, resnet
from bigmodel_lib.configs.cnn import CNNConfig
from bigmodel_lib.layers.convolution import Convolution
from bigmodel_lib.layers.norms import BatchNorm
from bigmodel_lib.models.cnn import CNN
from bigmodel_lib.models.inception import Inception
from bigmodel_lib.models.resnet import ResNet

MODELS = {
    "basic": lambda: ResNet(resnet.TINY),
    "bottleneck": lambda: ResNet(replace(resnet.TINY, block="bottleneck", stem="large")),
    "inception": lambda: Inception(replace(inception.TINY, batch_norm=True)),
}


def lived_in(model: nn.Module) -> nn.Module:
    """In double precision, with norms that have seen images and were trained."""
    model = model.double()
    for norm in model.modules():
        if isinstance(norm, BatchNorm):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.2, 3)
            nn.init.uniform_(norm.weight, -2, 2)
            nn.init.normal_(norm.bias)
    return model


@pytest.mark.parametrize("name", MODELS)
def test_the_function_stays_and_the_norms_go(name):
    model, images = lived_in(MODELS[name]()), torch.randn(3, 3, 32, 32, dtype=torch.float64)
    before = copy.deepcopy(model.state_dict())
    folded = fold_norms(model)
    assert not any(isinstance(module, BatchNorm) for module in folded.modules())
    assert model.training
    assert not folded.training
    assert all(torch.equal(before[key], value) for key, value in model.state_dict().items())
    torch.testing.assert_close(folded(images), model.eval()(images), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("bias", [False, True])
def test_one_pair_is_what_pytorch_makes_of_it(bias):
    conv, norm = Convolution(3, 5, 3, bias=bias), nn.BatchNorm2d(5, eps=0.1)
    ours = nn.Sequential(conv, BatchNorm(5, eps=0.1), nn.ReLU())
    lived_in(ours)
    norm.load_state_dict(ours[1].state_dict() | {"num_batches_tracked": torch.tensor(0)})
    theirs = fuse_conv_bn_eval(conv.eval(), norm.double().eval())
    folded = fold_norms(ours)
    torch.testing.assert_close(folded[0].weight, theirs.weight)
    torch.testing.assert_close(folded[0].bias, theirs.bias)
    assert [type(module) for module in folded] == [Convolution, nn.Identity, nn.ReLU]


def test_what_cannot_be_folded_is_refused():
    with pytest.raises(ValueError, match="CNN has no batch norm to fold"):
        fold_norms(CNN(CNNConfig()))
    first = nn.Sequential(BatchNorm(3), Convolution(3, 5, 3))
    with pytest.raises(ValueError, match="no convolution to fold these norms into: 0"):
        fold_norms(first)
