"""Tests of bigmodel_lib/data/words.py."""

import unicodedata

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from bigmodel_lib.data.words import split_words

THEIRS = pre_tokenizers.ByteLevel(add_prefix_space=False)
OLD = unicodedata.ucd_3_2_0  # characters that every version of Unicode knows alike


def their_words(text: str) -> list[str]:
    return [text[begin:end] for _, (begin, end) in THEIRS.pre_tokenize_str(text)]


def known_alike(character: str) -> bool:
    now = unicodedata.category(character)
    return OLD.category(character)[0] == now[0] != "C"


def test_a_sentence_by_hand():
    assert split_words("I'll pay  £20 (don't!)\n\n ok") == [
        "I", "'ll", " pay", " ", " £", "20", " (", "don", "'t", "!)", "\n\n", " ok",
    ]  # fmt: skip


@settings(deadline=None)
@given(
    st.text(st.characters().filter(known_alike) | st.sampled_from(" \n\t'sré٣Ⅷ²中\u00a0\u3000_"))
)
def test_cuts_where_gpt2_cuts(text):
    assert split_words(text) == their_words(text)


@settings(deadline=None)
@given(st.text())
def test_nothing_is_lost(text):
    assert "".join(split_words(text)) == text
