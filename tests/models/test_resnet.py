"""Tests of bigmodel_lib/models/resnet.py."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from transformers import ResNetConfig as TheirConfig
from transformers import ResNetForImageClassification

from bigmodel_lib.accounting.parameters import count_parameters, meta_model
from bigmodel_lib.configs.resnet import (
    RESNET18,
    RESNET34,
    RESNET50,
    RESNET101,
    RESNET152,
    TINY,
    ResNetConfig,
)
from bigmodel_lib.models.resnet import ResNet

SMALL_BASIC = ResNetConfig(depths=(2, 1, 2), channels=(3, 5, 7), n_classes=11)
SMALL_BOTTLENECK = replace(SMALL_BASIC, block="bottleneck", in_channels=1)
INNER = {"basic": ("first", "second"), "bottleneck": ("narrow", "middle", "widen")}


def theirs_like(config: ResNetConfig) -> ResNetForImageClassification:
    """The network of transformers; it keeps the stride in the 3×3 convolution, as we do."""
    settings = TheirConfig(
        num_channels=config.in_channels,
        embedding_size=config.channels[0],
        hidden_sizes=[c * config.expansion for c in config.channels],
        depths=list(config.depths),
        layer_type=config.block,
        num_labels=config.n_classes,
    )
    model = ResNetForImageClassification(settings)
    if config.stem == "small":
        conv = nn.Conv2d(config.in_channels, config.channels[0], 3, padding=1, bias=False)
        model.resnet.embedder.embedder.convolution = conv
        model.resnet.embedder.pooler = nn.Identity()
    return model


def twins(ours: ResNet, theirs: ResNetForImageClassification):
    """Every layer with weights, next to its counterpart."""
    stem = theirs.resnet.embedder.embedder
    yield ours.stem_conv, stem.convolution
    yield ours.stem_norm, stem.normalization
    for our_stage, their_stage in zip(ours.stages, theirs.resnet.encoder.stages, strict=True):
        for a, b in zip(our_stage, their_stage.layers, strict=True):
            for name, layer in zip(INNER[ours.config.block], b.layer, strict=True):
                yield getattr(a, f"conv_{name}"), layer.convolution
                yield getattr(a, f"norm_{name}"), layer.normalization
            if len(a.shortcut):
                yield a.shortcut[0], b.shortcut.convolution
                yield a.shortcut[1], b.shortcut.normalization
    yield ours.to_logits, theirs.classifier[1]


def with_the_same_weights(config: ResNetConfig):
    ours, theirs = ResNet(config), theirs_like(config)
    copied = 0
    for a, b in twins(ours, theirs):
        for mine, other in zip(a.parameters(), b.parameters(), strict=True):
            mine.data.normal_(std=0.3)
            other.data.copy_(mine.data)
            copied += mine.numel()
        if hasattr(a, "running_var"):
            a.running_var.uniform_(0.5, 2.0)
            a.running_mean.normal_()
            b.running_var.copy_(a.running_var)
            b.running_mean.copy_(a.running_mean)
    assert copied == count_parameters(ours) == count_parameters(theirs)
    return ours, theirs


@pytest.mark.parametrize(
    ("config", "published"),
    [
        (RESNET18, 11_689_512),
        (RESNET34, 21_797_672),
        (RESNET50, 25_557_032),
        (RESNET101, 44_549_160),
        (RESNET152, 60_192_808),
    ],
)
def test_parameter_counts_are_the_published_ones(config, published):
    assert count_parameters(meta_model(lambda: ResNet(config))) == published
    assert count_parameters(meta_model(lambda: theirs_like(config))) == published


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("shape", [(2, 33, 47), (1, 64, 64)])
@pytest.mark.parametrize(
    "config",
    [SMALL_BASIC, SMALL_BOTTLENECK, replace(SMALL_BASIC, stem="small")],
    ids=["basic", "bottleneck", "small stem"],
)
def test_output_gradients_and_statistics_match_transformers(config, shape, training):
    ours, theirs = with_the_same_weights(config)
    batch, height, width = shape
    images = torch.randn(batch, config.in_channels, height, width)
    ours.train(training)
    theirs.train(training)

    actual, expected = ours(images), theirs(images).logits
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)
    actual.square().mean().backward()
    expected.square().mean().backward()
    for a, b in twins(ours, theirs):
        for mine, other in zip(a.parameters(), b.parameters(), strict=True):
            scale = other.grad.abs().max()
            torch.testing.assert_close(mine.grad / scale, other.grad / scale, atol=1e-4, rtol=1e-4)
        if hasattr(a, "running_var"):
            torch.testing.assert_close(a.running_mean, b.running_mean)
            torch.testing.assert_close(a.running_var, b.running_var)


def test_every_stage_after_the_first_halves_the_image():
    model, x = ResNet(TINY), torch.randn(2, 3, 32, 32)
    assert model.stages(model.stem_conv(x)).shape == (2, 16, 16, 16)
    assert model(x).shape == (2, 10)


def test_evaluation_looks_at_each_image_alone():
    model, images = ResNet(TINY).eval(), torch.randn(3, 3, 32, 32)
    torch.testing.assert_close(model(images)[:1], model(images[:1]))


def test_refuses_images_with_other_colours():
    with pytest.raises(ValueError, match=r"images must have shape \(B, 3, H, W\), got"):
        ResNet(TINY)(torch.zeros(2, 1, 32, 32))
