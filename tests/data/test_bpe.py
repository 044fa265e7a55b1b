"""Tests of bigmodel_lib/data/bpe.py."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from bigmodel_lib.data.bpe import train_bpe
from bigmodel_lib.data.text import load_source, load_text


def their_tokenizer(text: str, vocab_size: int, special_tokens=()) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=0,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        special_tokens=list(special_tokens),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text], trainer)
    return tokenizer


def test_the_example_of_the_paper():
    """low ×5, lower ×2, newest ×6, widest ×3; of two pairs as frequent, the lower ids go first."""
    text = " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
    merges = train_bpe(text, 260).merges
    assert merges == [(b"e", b"s"), (b"es", b"t"), (b"l", b"o"), (b"lo", b"w")]


@pytest.mark.parametrize("special_tokens", [(), ("<|endoftext|>", "<|pad|>")])
@pytest.mark.parametrize(
    ("load", "vocab_size"),
    [(load_text, 2_000), (lambda: load_source(max_bytes=800_000), 4_000)],
    ids=["reference", "source"],
)
def test_same_merges_and_tokens_as_tokenizers(load, vocab_size, special_tokens):
    text = load()
    ours = train_bpe(text, vocab_size, special_tokens=special_tokens)
    theirs = their_tokenizer(text, vocab_size, special_tokens)

    assert len(ours) == theirs.get_vocab_size() == vocab_size
    assert ours.encode(text) == theirs.encode(text).ids


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("aab c"), min_size=1, max_size=80), st.integers(256, 300))
def test_same_merges_on_texts_full_of_repetitions(text, vocab_size):
    ours, theirs = train_bpe(text, vocab_size), their_tokenizer(text, vocab_size)
    assert len(ours) == theirs.get_vocab_size()
    assert ours.encode(text) == theirs.encode(text).ids


def test_stops_when_nothing_is_left_to_join():
    tokenizer = train_bpe("abc abc", 1_000)
    assert tokenizer.merges[-1] == (b" ", b"abc")
    assert len(tokenizer) == 259


def test_an_empty_text_teaches_nothing():
    assert train_bpe("", 300).merges == []


def test_no_room_for_the_bytes():
    with pytest.raises(ValueError, match="vocab_size must be at least 257, got 256"):
        train_bpe("a", 256, special_tokens=["<|endoftext|>"])
