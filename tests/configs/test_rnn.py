"""Tests of bigmodel_lib/configs/rnn.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.rnn import TINY


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"vocab_size": 0}, "vocab_size must be a whole number of at least 1, got 0"),
        ({"cell": "tree"}, 'cell must be "rnn", "gru" or "lstm", got "tree"'),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
