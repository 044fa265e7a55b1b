"""Colour scenes with everything about them known: ten shapes drawn over real photographs.

Backgrounds are crops of the two photographs that ship with scikit-learn. Classes, boxes, masks
and captions are exact, because the scene is drawn from them. Colour says nothing about the class.

Shapes: N images, S shapes in each, H × W pixels, three channels (red, green, blue).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

COLORS = {
    "red": (0.90, 0.15, 0.15),
    "orange": (0.95, 0.55, 0.10),
    "yellow": (0.95, 0.90, 0.20),
    "green": (0.15, 0.65, 0.25),
    "blue": (0.15, 0.35, 0.90),
    "purple": (0.55, 0.20, 0.75),
    "white": (0.95, 0.95, 0.95),
    "black": (0.08, 0.08, 0.08),
}
_FINE = 4  # points per pixel and direction at which a shape is drawn, for smooth edges
_ZOOMS = (1, 2, 4, 8)
_AT_ONCE = 128


class Scenes(NamedTuple):
    """Images and what is in them.

    Attributes:
        images: (N, 3, H, W), in [0, 1].
        labels: Class of each shape, a position in `CLASSES`, (N, S).
        boxes: Left, top, right and bottom edge of each shape in pixels, (N, S, 4); the box
            covers the columns left … right - 1 and the rows top … bottom - 1.
        masks: Which pixels belong to each shape, (N, S, H, W), boolean.
        captions: One sentence for each image.
    """

    images: Floats
    labels: NDArray[np.int64]
    boxes: NDArray[np.int64]
    masks: NDArray[np.bool_]
    captions: list[str]


def draw_scenes(n_images: int, *, n_shapes: int = 1, size: int = 32, seed: int = 0) -> Scenes:
    """Draw scenes; shapes are turned by up to 25 degrees and never cover one another.

    Args:
        n_images: Number of images, N.
        n_shapes: Number of shapes in each, S: one anywhere, or two to four in a quarter each.
        size: Height and width, H = W, from 16 to 256 pixels.
        seed: The same seed draws the same scenes.

    Raises:
        ValueError: If a number is outside its range.
    """
    if n_images < 1 or not 1 <= n_shapes <= 4 or not 16 <= size <= 256:
        raise ValueError(
            "n_images must be at least 1, n_shapes 1 to 4 and size 16 to 256, "
            f"got {n_images}, {n_shapes} and {size}"
        )
    rng = np.random.default_rng(seed)
    images = _backgrounds(n_images, size, rng)
    labels = rng.integers(len(CLASSES), size=(n_images, n_shapes))
    centres, radii = _places(n_images, n_shapes, size, rng)
    coverage = np.stack(
        [_draw(labels[:, i], centres[:, i], radii[:, i], size, rng) for i in range(n_shapes)],
        axis=1,
    )  # (N, S, H, W)
    masks = coverage > 0.5
    colors = _colors(images, masks, rng)
    for shape in range(n_shapes):
        paint = np.array(list(COLORS.values()))[colors[:, shape], :, None, None]  # (N, 3, 1, 1)
        paint = (paint + rng.normal(0, 0.03, paint.shape)).clip(0, 1).astype(np.float32)
        images += coverage[:, shape, None] * (paint - images)
    captions = [_caption(*scene) for scene in zip(labels, colors, centres, strict=True)]
    return Scenes(images, labels, _boxes(masks), masks, captions)


def _backgrounds(n_images: int, size: int, rng: np.random.Generator) -> Floats:
    """Crops of the photographs at several zooms, half of them mirrored; (N, 3, H, W)."""
    from sklearn.datasets import load_sample_images  # a second to import: only when asked

    photos = [
        _shrink(np.asarray(photo, np.float32) / 255.0, zoom)
        for photo in load_sample_images().images
        for zoom in _ZOOMS
        if min(photo.shape[:2]) // zoom > size
    ]
    crops = np.empty((n_images, 3, size, size), np.float32)
    for crop in crops:
        photo = photos[rng.integers(len(photos))]
        top, left = (rng.integers(extent - size + 1) for extent in photo.shape[:2])
        pixels = photo[top : top + size, left : left + size]
        crop[:] = pixels[:, :: rng.choice((-1, 1))].transpose(2, 0, 1)  # (H, W, 3) -> (3, H, W)
    return crops


def _shrink(photo: Floats, zoom: int) -> Floats:
    """Average squares of zoom × zoom pixels of a photograph, (H, W, 3)."""
    height, width = (extent // zoom for extent in photo.shape[:2])
    squares = photo[: height * zoom, : width * zoom].reshape(height, zoom, width, zoom, 3)
    return squares.mean(axis=(1, 3))


def _places(
    n_images: int, n_shapes: int, size: int, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Centres (N, S, 2) as column and row, and radii (N, S), each shape within its own cell."""
    cell = size if n_shapes == 1 else size / 2
    radii = rng.uniform(0.3, 0.46, (n_images, n_shapes)) * cell
    within = radii[..., None] + rng.random((n_images, n_shapes, 2)) * (cell - 2 * radii[..., None])
    if n_shapes == 1:
        return within, radii
    quarters = rng.permuted(np.tile(np.arange(4), (n_images, 1)), axis=1)[:, :n_shapes]
    return within + cell * np.stack([quarters % 2, quarters // 2], axis=-1), radii


def _colors(images: Floats, masks: NDArray, rng: np.random.Generator) -> NDArray[np.int64]:
    """Positions in COLORS (N, S): different ones, each far from the background it covers."""
    n_pixels = masks.sum(axis=(2, 3))[..., None]
    covered = np.einsum("nchw,nshw->nsc", images, masks) / n_pixels  # mean colours, (N, S, 3)
    distance = np.linalg.norm(covered[:, :, None] - np.array(list(COLORS.values())), axis=-1)
    wish = rng.random(distance.shape) + 2.0 * (distance > 0.5)  # (N, S, 8)
    colors = np.empty(masks.shape[:2], np.int64)
    for shape in range(masks.shape[1]):
        colors[:, shape] = wish[:, shape].argmax(axis=-1)
        wish[np.arange(len(wish)), :, colors[:, shape]] = -1.0  # used up in this image
    return colors


def _draw(
    labels: NDArray, centres: NDArray, radii: NDArray, size: int, rng: np.random.Generator
) -> Floats:
    """Share of each pixel that a shape covers, (N, H, W)."""
    angles = np.radians(rng.uniform(-25, 25, len(labels)))
    points = (np.arange(size * _FINE) + 0.5) / _FINE
    coverage = np.empty((len(labels), size, size), np.float32)
    for label, inside in enumerate(CLASSES.values()):
        members = np.flatnonzero(labels == label)
        for some in np.split(members, range(_AT_ONCE, len(members), _AT_ONCE)):
            x = (points - centres[some, :1]) / radii[some, None]  # (n, W) in radii, to the right
            y = (centres[some, 1:] - points) / radii[some, None]  # (n, H) upwards
            cos, sin = np.cos(angles[some])[:, None, None], np.sin(angles[some])[:, None, None]
            x, y = x[:, None, :], y[:, :, None]
            fine = inside(cos * x + sin * y, cos * y - sin * x)  # (n, H · fine, W · fine)
            squares = fine.reshape(len(some), size, _FINE, size, _FINE)
            coverage[some] = squares.mean(axis=(2, 4))
    return coverage


def _boxes(masks: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Smallest boxes around masks: (N, S, H, W) -> (N, S, 4)."""
    filled = np.stack([masks.any(axis=2), masks.any(axis=3)])  # (2, N, S, W), columns and rows
    first = filled.argmax(axis=-1)
    last = filled.shape[-1] - np.flip(filled, axis=-1).argmax(axis=-1)
    return np.concatenate([first, last]).transpose(1, 2, 0)


def _caption(labels: NDArray, colors: NDArray, centres: NDArray) -> str:
    """Say what is there, and where the first of two is, as seen from the second."""
    colour_names, class_names = list(COLORS), list(CLASSES)
    things = [
        f"{_article(colour_names[color])} {class_names[label]}"
        for label, color in zip(labels, colors, strict=True)
    ]
    if len(things) == 2:
        right, down = (centres[0] - centres[1]).tolist()
        side = "left of" if right < 0 else "right of"
        where = side if abs(right) > abs(down) else "above" if down < 0 else "below"
        return f"{things[0]} {where} {things[1]}"
    return " and ".join([", ".join(things[:-1]), things[-1]] if things[1:] else things)


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _polygon(n: int, x: NDArray, y: NDArray) -> NDArray[np.bool_]:
    """A regular polygon with its corners at radius one, the first one on top."""
    angle = (np.arctan2(x, y) + np.pi / n) % (2 * np.pi / n) - np.pi / n  # from the next corner
    return np.hypot(x, y) * np.cos(np.pi / n - np.abs(angle)) <= np.cos(np.pi / n)


def _star(x: NDArray, y: NDArray) -> NDArray[np.bool_]:
    """Five points at radius one, five notches at 0.45."""
    angle = np.abs((np.arctan2(x, y) + np.pi / 5) % (2 * np.pi / 5) - np.pi / 5)
    along, across = np.hypot(x, y) * np.cos(angle), np.hypot(x, y) * np.sin(angle)
    notch = 0.45 * np.array([np.cos(np.pi / 5), np.sin(np.pi / 5)])
    return (1.0 - along) * notch[1] >= across * (1.0 - notch[0])


CLASSES: dict[str, Callable[[NDArray, NDArray], NDArray[np.bool_]]] = {
    "circle": lambda x, y: x**2 + y**2 <= 1,
    "ring": lambda x, y: np.abs(np.hypot(x, y) - 0.78) <= 0.22,
    "triangle": lambda x, y: _polygon(3, x, y),
    "square": lambda x, y: np.maximum(np.abs(x), np.abs(y)) <= 0.5**0.5,
    "pentagon": lambda x, y: _polygon(5, x, y),
    "star": _star,
    "cross": lambda x, y: (
        (np.minimum(np.abs(x), np.abs(y)) <= 0.28) & (np.maximum(np.abs(x), np.abs(y)) <= 0.95)
    ),
    "heart": lambda x, y: (
        ((1.4 * x) ** 2 + (1.4 * y + 0.15) ** 2 - 1) ** 3 <= (1.4 * x) ** 2 * (1.4 * y + 0.15) ** 3
    ),
    "crescent": lambda x, y: (x**2 + y**2 <= 1) & ((x - 0.5) ** 2 + y**2 >= 0.64),
    "arrow": lambda x, y: np.where(
        x < 0.1, (np.abs(y) <= 0.22) & (x >= -0.95), np.abs(y) <= 0.75 * (0.95 - x)
    ),
}
"""What each class covers, in radii from its centre: to the right and upwards."""
