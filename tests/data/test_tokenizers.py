"""Tests of bigmodel_lib/data/tokenizers.py."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from bigmodel_lib.data.bpe import train_bpe
from bigmodel_lib.data.text import load_text
from bigmodel_lib.data.tokenizers import BYTES, BytePairTokenizer, CharacterTokenizer

END = "<|endoftext|>"
MERGES = [(b"l", b"o"), (b"lo", b"w"), (b"e", b"r"), (b" ", b"low"), (b"w", b"er")]


@cache
def trained() -> BytePairTokenizer:
    return train_bpe(load_text()[:100_000], 1_000, special_tokens=[END])


def pieces(tokenizer: BytePairTokenizer, text: str) -> list[bytes]:
    return [tokenizer.pieces[i] for i in tokenizer.encode(text)]


def test_characters_by_hand():
    tokenizer = CharacterTokenizer("hello")
    assert len(tokenizer) == 4
    assert tokenizer.encode("hole") == [1, 3, 2, 0]
    assert tokenizer.decode([1, 3, 2, 0]) == "hole"


@settings(deadline=None)
@given(st.text())
def test_characters_survive(text):
    tokenizer = CharacterTokenizer(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_character_that_was_never_seen_is_named():
    with pytest.raises(ValueError, match=r"the vocabulary has no 'z' \(in 4 characters\)"):
        CharacterTokenizer("hello").encode("hz")


def test_merges_apply_in_their_order_and_from_left_to_right():
    """In "lower", l+o comes first, lo+w second; then er, since w+er needs a free w."""
    tokenizer = BytePairTokenizer(MERGES)
    assert pieces(tokenizer, "lower low") == [b"low", b"er", b" low"]
    assert pieces(tokenizer, "wer") == [b"wer"]
    assert pieces(BytePairTokenizer([(b"a", b"a")]), "aaaaa") == [b"aa", b"aa", b"a"]


def test_ids_are_the_bytes_then_the_merges():
    tokenizer = BytePairTokenizer(MERGES, [END])
    assert len(tokenizer) == 1 + 256 + 5
    assert tokenizer.special_ids == {END: 0}
    assert tokenizer.encode("!") == [1]
    assert tokenizer.encode("low") == [1 + 256 + 1]
    assert sorted(BYTES) == list(range(256))


@settings(deadline=None)
@given(st.text())
def test_every_text_survives(text):
    tokenizer = trained()
    assert tokenizer.decode(tokenizer.encode(text)) == text


@settings(deadline=None)
@given(
    st.text(st.sampled_from("ab "), max_size=40), st.lists(st.tuples(*[st.sampled_from("ab")] * 2))
)
def test_every_text_survives_any_merges(text, pairs):
    merges = [(left.encode(), right.encode()) for left, right in dict.fromkeys(pairs)]
    tokenizer = BytePairTokenizer(merges)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_special_tokens_are_never_read_from_text():
    """A document that talks about the end of documents does not end itself."""
    tokenizer = trained()
    assert tokenizer.special_ids[END] not in tokenizer.encode(f"see {END}!")
    assert tokenizer.decode([*tokenizer.encode("a"), tokenizer.special_ids[END]]) == f"a{END}"


def test_half_a_letter_is_marked():
    tokenizer = BytePairTokenizer([])
    assert tokenizer.decode(tokenizer.encode("é")[:1]) == "�"


def test_a_long_word_without_blanks_takes_no_square_of_its_length():
    """100,000 letters in one word: seconds if pairs are searched again after every merge."""
    tokenizer = trained()
    text = "theinstance" * 9_000
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_the_memory_of_words_is_bounded(monkeypatch):
    monkeypatch.setattr("bigmodel_lib.data.tokenizers._MAX_CACHED_WORDS", 10)
    tokenizer = BytePairTokenizer(MERGES)
    for number in range(100):
        tokenizer.encode(f"low {number}")
    assert len(tokenizer._cached) <= 12


@settings(deadline=None)
@given(st.text())
def test_tokenizers_reads_the_saved_file(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "tokenizer.json"
    if not path.exists():
        trained().save(path)
    theirs = Tokenizer.from_file(str(path))
    ids = trained().encode(text)

    if END not in text:
        assert theirs.encode(text).ids == ids
    assert theirs.decode(ids, skip_special_tokens=False) == text
    assert theirs.token_to_id(END) == trained().special_ids[END]


def test_saved_and_loaded_are_the_same(tmp_path):
    trained().save(tmp_path / "tokenizer.json")
    loaded = BytePairTokenizer.load(tmp_path / "tokenizer.json")

    assert loaded.pieces == trained().pieces
    assert loaded.encode(load_text()[:5_000]) == trained().encode(load_text()[:5_000])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BytePairTokenizer([(b"lo", b"w")]), "cannot merge b'lo' and b'w': one was never"),
        (lambda: BytePairTokenizer([]).decode([256]), r"ids must be in \[0, 256\), got 256"),
        (lambda: BytePairTokenizer([]).decode([-1]), r"ids must be in \[0, 256\), got -1"),
        (lambda: BytePairTokenizer([]).encode("\ud800"), "surrogates not allowed"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
