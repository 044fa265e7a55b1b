"""Tests of bigmodel_lib/data/images.py."""

import numpy as np
import pytest

from bigmodel_lib.data import cifar
from bigmodel_lib.data.images import load_images
from bigmodel_lib.data.shapes import CLASSES, draw_scenes


def test_shapes_are_scenes_of_one_shape():
    images = load_images(n_train=20, n_test=5, seed=3)
    scenes = draw_scenes(25, seed=3)

    np.testing.assert_array_equal(images.train_images, scenes.images[:20])
    np.testing.assert_array_equal(images.test_images, scenes.images[20:])
    np.testing.assert_array_equal(images.test_labels, scenes.labels[20:, 0])
    assert images.classes == tuple(CLASSES)


def test_cifar_is_one_argument_away(monkeypatch):
    rng = np.random.default_rng(0)
    made = tuple(
        array
        for n in (9, 4)
        for array in (rng.random((n, 3, 32, 32), np.float32), rng.integers(10, size=n))
    )
    monkeypatch.setattr(cifar, "load_cifar10", lambda: made)
    images = load_images("cifar10", n_train=6, n_test=2)

    np.testing.assert_array_equal(images.train_images, made[0][:6])
    np.testing.assert_array_equal(images.test_labels, made[3][:2])
    assert images.classes[0] == "airplane"
    with pytest.raises(ValueError, match="CIFAR-10 has 9 and 4 images, got n_train 10"):
        load_images("cifar10", n_train=10, n_test=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "imagenet"}, "source must be 'shapes' or 'cifar10', got 'imagenet'"),
        ({"n_train": 0}, "n_train and n_test must be at least 1, got 0 and 1000"),
    ],
)
def test_impossible_requests_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_images(**arguments)
