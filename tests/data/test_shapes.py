"""Tests of bigmodel_lib/data/shapes.py."""

import re
from itertools import combinations

import numpy as np
import pytest

from bigmodel_lib.data.shapes import CLASSES, COLORS, draw_scenes

UNIT = np.linspace(-1, 1, 401)
X, Y = np.meshgrid(UNIT, -UNIT)
FILLED = {name: inside(X, Y) for name, inside in CLASSES.items()}
AREAS = {  # of the part of the unit circle's square [-1, 1]² that a class covers
    "circle": np.pi,
    "ring": np.pi * (1 - 0.56**2),
    "triangle": 3 / 2 * np.sin(2 * np.pi / 3),
    "square": 2.0,
    "pentagon": 5 / 2 * np.sin(2 * np.pi / 5),
    "star": 5 * 0.45 * np.sin(np.pi / 5),
    "cross": 4 * 0.28 * (2 * 0.95 - 0.28),
}


@pytest.fixture(scope="module")
def scenes():
    return draw_scenes(60, n_shapes=3, seed=1)


@pytest.mark.parametrize("name", AREAS)
def test_each_shape_has_the_area_of_its_formula(name):
    assert FILLED[name].mean() * 4 == pytest.approx(AREAS[name], rel=0.01)


def test_shapes_are_upright_and_fit_their_circle():
    for name, filled in FILLED.items():
        assert not (filled & (np.hypot(X, Y) > 1.02)).any(), name
    tops = {name: Y[filled].max() for name, filled in FILLED.items()}
    assert tops["triangle"] == pytest.approx(1.0, abs=0.01)  # a corner on top
    assert FILLED["star"][Y > 0.9].any()
    assert FILLED["arrow"][np.abs(Y) < 0.01].any()
    assert X[FILLED["arrow"]].max() > 0.9  # pointing to the right
    assert Y[FILLED["heart"]].min() < -0.8  # its point below


def test_no_two_classes_look_alike():
    for one, other in combinations(FILLED, 2):
        both, either = FILLED[one] & FILLED[other], FILLED[one] | FILLED[other]
        assert both.sum() / either.sum() < 0.85, (one, other)


def test_arrays_have_the_sizes_they_say(scenes):
    assert scenes.images.shape == (60, 3, 32, 32)
    assert scenes.images.dtype == np.float32
    assert 0.0 <= scenes.images.min() < scenes.images.max() <= 1.0
    assert scenes.labels.shape == (60, 3)
    assert scenes.boxes.shape == (60, 3, 4)
    assert scenes.masks.shape == (60, 3, 32, 32)
    assert len(scenes.captions) == 60


def test_boxes_are_tight_around_masks(scenes):
    for masks, boxes in zip(scenes.masks, scenes.boxes, strict=True):
        for mask, (left, top, right, bottom) in zip(masks, boxes, strict=True):
            inside = mask[top:bottom, left:right]
            assert inside.sum() == mask.sum() > 0
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()


def test_shapes_never_cover_one_another(scenes):
    assert scenes.masks.sum(axis=1).max() == 1


def test_a_shape_has_the_colour_of_its_caption_and_stands_out(scenes):
    for image, masks, caption in zip(scenes.images, scenes.masks, scenes.captions, strict=True):
        names = re.findall("|".join(COLORS), caption)
        assert len(set(names)) == 3
        for mask, name in zip(masks, names, strict=True):
            inner = image[:, mask]
            assert np.abs(np.median(inner, axis=1) - COLORS[name]).max() < 0.15, caption


def test_shapes_stand_upright_in_the_images():
    """A triangle has most of its area below the middle of its box, a heart above."""
    scenes = draw_scenes(300, seed=4)
    rows = np.arange(32)[:, None] + 0.5
    for name, sign in (("triangle", 1), ("heart", -1)):
        some = scenes.labels[:, 0] == list(CLASSES).index(name)
        masks, boxes = scenes.masks[some, 0], scenes.boxes[some, 0]
        middle = (boxes[:, 1] + boxes[:, 3]) / 2
        centre_of_mass = (masks * rows).sum((1, 2)) / masks.sum((1, 2))
        assert (sign * (centre_of_mass - middle) > 0).mean() > 0.9, name


def test_captions_name_the_classes_in_order(scenes):
    for labels, caption in zip(scenes.labels, scenes.captions, strict=True):
        assert re.findall("|".join(CLASSES), caption) == [list(CLASSES)[i] for i in labels]


def test_captions_of_two_say_where():
    scenes = draw_scenes(80, n_shapes=2, seed=3)
    found = set()
    for (one, other), caption in zip(scenes.boxes, scenes.captions, strict=True):
        across = one[[0, 2]].mean() - other[[0, 2]].mean()
        down = one[[1, 3]].mean() - other[[1, 3]].mean()
        (where,) = re.findall("left of|right of|above|below", caption)
        found.add(where)
        if abs(abs(across) - abs(down)) > 4:
            side = "right of" if across > 0 else "left of"
            assert where == (side if abs(across) > abs(down) else "below" if down > 0 else "above")
    assert len(found) == 4


def test_colour_says_nothing_about_the_class():
    """Mutual information of class and colour, in nats, against that of shuffled pairs."""
    scenes = draw_scenes(3_000)
    colors = np.array([list(COLORS).index(caption.split()[1]) for caption in scenes.captions])

    def information(labels):
        joint = np.histogram2d(labels, colors, bins=(10, 8))[0] / len(labels)
        apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
        return (joint[joint > 0] * np.log(joint[joint > 0] / apart[joint > 0])).sum()

    shuffled = np.random.default_rng(0).permutation(scenes.labels[:, 0])
    assert information(scenes.labels[:, 0]) < 1.5 * information(shuffled)


def test_every_class_comes_as_often():
    counts = np.bincount(draw_scenes(3_000).labels[:, 0], minlength=10)
    assert 240 < counts.min() <= counts.max() < 360


def test_the_seed_decides_everything():
    one, again, other = (draw_scenes(5, n_shapes=2, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.images, again.images)
    assert one.captions == again.captions
    assert not np.array_equal(one.images, other.images)


def test_other_sizes():
    assert draw_scenes(3, size=200, n_shapes=4).masks.any(axis=(2, 3)).all()


@pytest.mark.parametrize("arguments", [(0, 1, 32), (1, 0, 32), (1, 5, 32), (1, 1, 15), (1, 1, 257)])
def test_impossible_requests_are_refused(arguments):
    n_images, n_shapes, size = arguments
    message = "got {}, {} and {}".format(*arguments)
    with pytest.raises(ValueError, match=message):
        draw_scenes(n_images, n_shapes=n_shapes, size=size)
