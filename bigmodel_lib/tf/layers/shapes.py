"""Refuse a tensor of the wrong shape in words, where it enters a layer.

A mismatched matrix product deep inside a model says "mat1 and mat2 shapes cannot be multiplied";
this says which argument was wrong, what it should have been, and what it was.

Twin: bigmodel_lib/layers/shapes.py
"""

from keras import KerasTensor as Tensor


def check_shape(name: str, x: Tensor, *expected: int | str) -> None:
    """Raise unless `x` has the expected shape.

    Args:
        name: What to call the tensor in the message.
        x: The tensor.
        expected: One entry per dimension: a number that must match, or a letter that may be any
            size. A leading "..." stands for any number of dimensions.

    Raises:
        ValueError: If the number of dimensions or one of the numbers differs.
    """
    sizes, wanted = tuple(x.shape), expected
    if wanted[0] == "...":
        wanted = wanted[1:]
        fits = len(sizes) >= len(wanted)
        sizes = sizes[len(sizes) - len(wanted) :] if fits else sizes
    fits = len(sizes) == len(wanted) and all(
        isinstance(want, str) or size in (want, None)
        for want, size in zip(wanted, sizes, strict=True)
    )
    if not fits:
        wanted_words = ", ".join(map(str, expected))
        raise ValueError(f"{name} must have shape ({wanted_words}), got {tuple(x.shape)}")


def check_at_least(minimum: int, **counts: int) -> None:
    """Raise `ValueError` unless every named count reaches `minimum`."""
    for name, count in counts.items():
        if count < minimum:
            raise ValueError(f"{name} must be at least {minimum}, got {count}")


def check_probability(name: str, p: float) -> None:
    """Raise `ValueError` unless `p` is a probability below one, as a dropout rate must be."""
    if not 0.0 <= p < 1.0:
        raise ValueError(f"{name} must be in [0, 1), got {p}")
