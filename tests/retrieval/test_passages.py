"""Tests of bigmodel_lib/retrieval/passages.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bigmodel_lib.data.text import load_passages
from bigmodel_lib.retrieval.passages import cut, read_folder
from bigmodel_lib.weights.pretrained import load_tokenizer

TEXT = "One two three.\nFour.\n\nFive six.\n\n\nSeven eight nine ten. Eleven twelve? Thirteen!\n"


def test_neighbours_are_joined_as_long_as_they_fit():
    assert cut(TEXT, max_words=7) == [
        "One two three. Four. Five six.",
        "Seven eight nine ten. Eleven twelve? Thirteen!",
    ]


def test_what_fits_exactly_is_joined():
    assert cut("a b\n\nc d e", max_words=5) == ["a b c d e"]
    assert cut("a b\n\nc d e", max_words=4) == ["a b", "c d e"]


@pytest.mark.parametrize("blank", ["\n\n", "\n \t\n", "\r\n\r\n"])
def test_paragraphs_end_at_a_blank_line_and_not_at_the_end_of_a_line(blank):
    text = f"A title{blank}Three four\nfive six."
    assert cut(text, max_words=5) == ["A title", "Three four five six."]


def test_what_is_too_long_is_cut_at_the_end_of_a_sentence():
    assert cut(TEXT, max_words=5)[2:] == ["Seven eight nine ten.", "Eleven twelve? Thirteen!"]
    assert cut("甲 乙 丙。 丁 戊！ 己", max_words=4) == ["甲 乙 丙。", "丁 戊！ 己"]


def test_a_sentence_that_is_too_long_is_cut_between_words():
    assert cut("a b c d e f g. h", max_words=3) == ["a b c", "d e f", "g. h"]


@given(st.text(alphabet="ab .!\n\t", max_size=200), st.integers(1, 12))
def test_no_word_is_lost_and_none_is_doubled(text, max_words):
    passages = cut(text, max_words=max_words)
    assert " ".join(passages).split() == text.split()
    assert all(1 <= len(passage.split()) <= max_words for passage in passages)


def test_the_default_length_fits_into_the_network():
    tokenizer = load_tokenizer("all-MiniLM-L6-v2")
    passages = cut("\n\n".join(p.text for p in load_passages()[:200]))
    lengths = sorted(len(tokenizer.encode(passage).ids) for passage in passages)
    assert lengths[int(0.95 * len(lengths))] <= 256


def test_a_folder_is_read_with_its_sub_folders(tmp_path):
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "note.MD").write_text("second, äöü", encoding="utf-8")
    (tmp_path / "a.txt").write_bytes("\ufefffirst\r\n\r\nparagraph".encode())
    (tmp_path / "picture.png").write_bytes(b"\xff\xd8\x00")

    passages = read_folder(tmp_path)

    assert passages == [("a.txt", "first paragraph"), ("b/note.MD", "second, äöü")]
    assert read_folder(str(tmp_path), suffixes=[".md"]) == passages[1:]
    assert [text for _, text in read_folder(tmp_path, max_words=1)] == [
        *("first", "paragraph"),
        *("second,", "äöü"),
    ]


def test_files_come_in_the_order_of_their_paths(tmp_path):
    """Not in that of the disk, which gives what lies in a sub-folder last."""
    for name in ("c.txt", "a/z.txt", "b.txt", "a/y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    assert [p.title for p in read_folder(tmp_path)] == ["a/y.txt", "a/z.txt", "b.txt", "c.txt"]


def test_what_cannot_be_read_is_told(tmp_path):
    with pytest.raises(NotADirectoryError, match=r"there is no folder .*nowhere"):
        read_folder(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"holds no file that ends in \.txt, \.md, \.rst"):
        read_folder(tmp_path)
    (tmp_path / "empty.txt").write_text(" \n")
    with pytest.raises(ValueError, match="not one word in the 1 files"):
        read_folder(tmp_path)
    (tmp_path / "photo.txt").write_bytes(b"abc\xff")
    with pytest.raises(ValueError, match=r"photo\.txt is not text in UTF-8: .* at 3"):
        read_folder(tmp_path)
    (tmp_path / "photo.txt").write_bytes(b"abc\0")
    with pytest.raises(ValueError, match=r"photo\.txt is not text: it has a zero byte"):
        read_folder(tmp_path)
    with pytest.raises(ValueError, match="max_words must be at least 1, got 0"):
        cut("text", max_words=0)
