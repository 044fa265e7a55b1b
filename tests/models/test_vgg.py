"""Tests of bigmodel_lib/models/vgg.py."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from bigmodel_lib.accounting.parameters import count_parameters, meta_model
from bigmodel_lib.configs.vgg import TINY, VGG11, VGG13, VGG16, VGG19
from bigmodel_lib.models.vgg import VGG

# Table 1 of the paper, one column a configuration; "M" stands for maximum pooling.
A = [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"]
D = [64, 64, "M", 128, 128, "M", *3 * [256], "M", *3 * [512], "M", *3 * [512], "M"]


def restated(plan: list, in_channels: int, n_flat: int, d_hidden: int, n_classes: int):
    """The same network from the table, layer after layer, independent of the library."""
    layers: list[nn.Module] = []
    for step in plan:
        if step == "M":
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
        else:
            layers += [nn.Conv2d(in_channels, step, 3, stride=1, padding=1), nn.ReLU()]
            in_channels = step
    layers += [nn.Flatten(), nn.Linear(n_flat, d_hidden), nn.ReLU()]
    layers += [nn.Linear(d_hidden, d_hidden), nn.ReLU(), nn.Linear(d_hidden, n_classes)]
    return nn.Sequential(*layers)


@pytest.mark.parametrize(
    ("config", "published"),
    [(VGG11, 132_863_336), (VGG13, 133_047_848), (VGG16, 138_357_544), (VGG19, 143_667_240)],
)
def test_parameter_counts_are_the_published_ones(config, published):
    assert count_parameters(meta_model(lambda: VGG(config))) == published


def test_vgg16_parameter_count_added_up_by_hand():
    pairs = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
    pairs += [(256, 512), *5 * [(512, 512)]]
    convolutions = sum(9 * a * b + b for a, b in pairs)
    dense = (25_088 * 4_096 + 4_096) + (4_096**2 + 4_096) + (4_096 * 1_000 + 1_000)
    assert count_parameters(meta_model(lambda: VGG(VGG16))) == convolutions + dense


@pytest.mark.parametrize(("config", "plan"), [(VGG11, A), (VGG16, D)], ids=["VGG11", "VGG16"])
@pytest.mark.parametrize(("image_size", "n_left"), [(32, 1), (65, 2)])
def test_output_and_gradients_match_the_paper_s_table(config, plan, image_size, n_left):
    """Channels divided by 16; 65 pixels, so that each pooling drops an odd row and column."""
    plan = [step if step == "M" else step // 16 for step in plan]
    config = replace(
        config,
        channels=(4, 8, 16, 32, 32),
        image_size=image_size,
        d_hidden=24,
        n_classes=7,
        dropout=0.0,
    )
    ours = VGG(config)
    theirs = restated(plan, 3, 32 * n_left**2, 24, 7)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        b.data.copy_(a.data)
    images = torch.randn(2, 3, image_size, image_size)

    actual, expected = ours(images), theirs(images)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-5)
    actual.square().sum().backward()
    expected.square().sum().backward()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a.grad, b.grad, atol=1e-4, rtol=1e-4)


def test_the_signal_survives_nineteen_layers():
    """With He's initial weights the spread of the features stays within a factor of ten."""
    config = replace(VGG19, channels=(16, 16, 32, 32, 32), image_size=32)
    model, images = VGG(config), torch.randn(8, 3, 32, 32)
    ratio = model.stages(images).std() / images.std()
    assert 0.1 < ratio < 10


def test_dropout_acts_in_training_only():
    model, images = VGG(replace(TINY, dropout=0.5)), torch.randn(2, 3, 32, 32)
    assert not torch.equal(model(images), model(images))
    model.eval()
    assert torch.equal(model(images), model(images))


def test_refuses_images_of_another_shape():
    with pytest.raises(ValueError, match=r"have shape \(B, 3, 32, 32\), got \(2, 3, 33, 32\)"):
        VGG(TINY)(torch.zeros(2, 3, 33, 32))
