"""Tests of bigmodel_lib/models/cnn.py."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from bigmodel_lib.accounting.parameters import count_parameters
from bigmodel_lib.configs.cnn import CIFAR_CNN, DIGITS_CNN, CNNConfig
from bigmodel_lib.models.cnn import CNN

SMALL = CNNConfig(image_size=13, channels=(3, 5), d_hidden=7, n_classes=4)


def test_parameter_count_added_up_by_hand():
    convolutions = (3 * 32 * 9 + 32) + (32 * 64 * 9 + 64)
    dense = (64 * 6 * 6 * 128 + 128) + (128 * 10 + 10)
    assert count_parameters(CNN(CIFAR_CNN)) == convolutions + dense


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize(
    "config",
    [SMALL, replace(SMALL, image_size=17, in_channels=1, kernel_size=5), DIGITS_CNN],
    ids=["small", "wide filters", "digits"],
)
def test_output_and_gradients_match_the_formula(config, batch):
    """The same network written as functions of its eight tensors."""
    model = CNN(config)
    images = torch.randn(batch, config.in_channels, config.image_size, config.image_size)
    copies = [p.detach().clone().requires_grad_() for p in model.parameters()]
    w1, b1, w2, b2, w3, b3, w4, b4 = copies
    x = F.max_pool2d(F.conv2d(images, w1, b1).relu(), 2)
    x = F.max_pool2d(F.conv2d(x, w2, b2).relu(), 2)
    expected = (x.reshape(batch, -1) @ w3.T + b3).relu() @ w4.T + b4
    actual = model(images)
    torch.testing.assert_close(actual, expected)

    actual.square().sum().backward()
    expected.square().sum().backward()
    for (name, ours), theirs in zip(model.named_parameters(), copies, strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, msg=lambda m, n=name: f"{n}: {m}")


@pytest.mark.parametrize("shape", [(2, 3, 32, 31), (2, 1, 32, 32), (3, 32, 32)])
def test_refuses_images_of_another_shape(shape):
    with pytest.raises(ValueError, match=r"images must have shape \(B, 3, 32, 32\), got"):
        CNN(CIFAR_CNN)(torch.zeros(shape))
