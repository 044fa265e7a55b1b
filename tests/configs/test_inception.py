"""Tests of bigmodel_lib/configs/inception.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.inception import GOOGLENET, TINY


def test_output_widths_are_those_of_the_paper():
    """Table 1, column "output size": a block's output joins its four branches."""
    widths = [[a + b + c + d for a, _, b, _, c, d in stage] for stage in GOOGLENET.stages]
    assert widths == [[256, 480], [512, 512, 512, 528, 832], [832, 1024]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"in_channels": 0}, "in_channels must be a whole number of at least 1, got 0"),
        ({"stem": "tall"}, 'stem must be "large" or "small", got "tall"'),
        ({"wide_kernel": 4}, "wide_kernel must be odd to keep the image size, got 4"),
        ({"stem_channels": (8,)}, r"stem_channels must be two positive numbers, got \(8,\)"),
        ({"stages": ()}, "stages must hold at least one stage of at least one block"),
        ({"stages": (((1, 2, 3),),)}, r"a block must be six positive numbers, got \(1, 2, 3\)"),
        ({"dropout": -0.1}, r"dropout must be in \[0, 1\), got -0.1"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
