"""Tests of bigmodel_lib/data/documents.py."""

import pytest

from bigmodel_lib.data import documents
from bigmodel_lib.data.documents import hold_out, load_documents, read_documents


def test_the_end_of_the_text_is_held_out():
    train, valid = load_documents("python", valid_share=0.2)

    assert len(train) == len(valid) == 1
    assert len(valid[0]) == pytest.approx(0.2 * len(train[0] + valid[0]), abs=1)


@pytest.mark.parametrize(
    ("share", "train", "valid"),
    [
        (0.1, ["aaaa", "bbb", "cc"], ["c"]),
        (0.3, ["aaaa", "bbb"], ["ccc"]),
        (0.5, ["aaaa", "b"], ["bb", "ccc"]),
        (0.9, ["a"], ["aaa", "bbb", "ccc"]),
    ],
)
def test_documents_are_cut_where_the_share_is_reached(share, train, valid):
    assert hold_out(["aaaa", "bbb", "ccc"], share) == (train, valid)


def test_a_folder_is_read_in_order_and_only_its_text(tmp_path):
    (tmp_path / "deep").mkdir()
    for name, text in {"b.txt": "two", "a.md": "one", "deep/c.txt": "three", "d.py": "x"}.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "empty.txt").write_text(" \n")

    assert read_documents(tmp_path) == ["one", "two", "three"]
    assert read_documents(tmp_path / "d.py") == ["x"]  # named by itself, any file is read


def test_a_corpus_brings_its_own_parts(monkeypatch):
    monkeypatch.setattr(documents, "load_text", lambda name, part: f"{name} {part}")
    assert load_documents("shakespeare") == (["shakespeare train"], ["shakespeare valid"])


def test_documentation_strings_are_a_corpus_by_its_name(monkeypatch):
    monkeypatch.setattr(documents, "load_docstrings", lambda: ["Numbers.\n", "Arrays.\n"])
    assert load_documents("docstrings", valid_share=0.5) == (["Numbers.\n"], ["Arrays.\n"])


def test_what_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"'shakespear' is no file or folder, .* stdlib, docstr"):
        load_documents("shakespear")
    with pytest.raises(ValueError, match=r"holds no text \(in a folder, \.txt and \.md are read\)"):
        load_documents(str(tmp_path))
    (tmp_path / "latin.txt").write_bytes("é".encode("latin-1"))
    with pytest.raises(ValueError, match=r"latin\.txt is not UTF-8"):
        load_documents(str(tmp_path))
    with pytest.raises(ValueError, match=r"cannot hold out 0\.1 of 2 characters"):
        hold_out(["ab"], 0.1)
