"""Tests of bigmodel_lib/configs/bert.py."""

from dataclasses import replace

import pytest

from bigmodel_lib.configs.bert import BERT_BASE, BERT_LARGE, MINILM_L6, TINY


def test_head_widths():
    assert (BERT_BASE.d_head, BERT_LARGE.d_head, MINILM_L6.d_head) == (64, 64, 32)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_heads": 5}, r"d_model \(32\) must be a multiple of n_heads \(5\)"),
        ({"n_segments": 0}, "n_segments must be a whole number of at least 1, got 0"),
        ({"dropout": 1.0}, r"dropout must be in \[0, 1\), got 1.0"),
    ],
)
def test_impossible_sizes_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(TINY, **change)
