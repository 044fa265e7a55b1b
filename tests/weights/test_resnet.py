"""Tests of bigmodel_lib/weights/resnet.py."""

from dataclasses import replace

import pytest
import torch
from transformers import ResNetConfig as TheirConfig
from transformers import ResNetForImageClassification

from bigmodel_lib.configs.resnet import ResNetConfig
from bigmodel_lib.models.resnet import ResNet
from bigmodel_lib.weights.pretrained import to_pretrained
from bigmodel_lib.weights.resnet import read_config, write_config

BASIC = ResNetConfig(depths=(2, 1, 1), channels=(3, 5, 7), in_channels=2, n_classes=5)
BOTTLENECK = replace(BASIC, block="bottleneck")
CONFIGS = pytest.mark.parametrize("config", [BASIC, BOTTLENECK], ids=["basic", "bottleneck"])


@CONFIGS
def test_every_number_survives_the_way_there_and_back(config):
    assert read_config(write_config(config)) == config


@CONFIGS
def test_it_travels_with_its_remembered_statistics(assert_travels, config):
    theirs = ResNetForImageClassification(TheirConfig(**write_config(config)))
    images = torch.randn(4, 2, 33, 47)
    theirs.train()(images + 1)  # moves running means and variances
    ours = assert_travels(theirs, lambda model: model(images), lambda model: model(images).logits)
    assert type(ours) is ResNet
    assert ours.config == config


def test_another_width_of_the_stem_is_refused():
    with pytest.raises(ValueError, match=r"embedding_size must be 3, .* found 64"):
        read_config(write_config(BASIC) | {"embedding_size": 64})


def test_a_small_stem_is_not_written(tmp_path):
    with pytest.raises(ValueError, match='knows ResNets with stem "large", got "small"'):
        to_pretrained(ResNet(replace(BASIC, stem="small")), tmp_path / "new")
    assert not (tmp_path / "new").exists()
