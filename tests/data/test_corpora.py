"""Tests of bigmodel_lib/data/corpora.py, on files of the same format made here."""

import hashlib
import zipfile
from dataclasses import replace

import pytest

from bigmodel_lib.data import corpora
from bigmodel_lib.data.corpora import load_corpus
from bigmodel_lib.data.download import Remote

TEXT = "".join(f"line {number}\n" for number in range(1_000))


def here(path) -> Remote:
    """Describe a file as if it had been downloaded already."""
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return Remote(url=f"http://127.0.0.1:1/{path.name}", size=len(content), sha256=digest)


def test_shakespeare_is_cut_in_three(tmp_path, monkeypatch):
    path = tmp_path / "input.txt"
    path.write_text(TEXT)
    monkeypatch.setattr(corpora, "SHAKESPEARE", here(path))
    parts = [
        load_corpus("shakespeare", part, folder=tmp_path) for part in ("train", "valid", "test")
    ]

    assert "".join(parts) == TEXT
    assert len(parts[0]) == round(0.9 * len(TEXT))


def test_wikitext_comes_out_of_its_archive(tmp_path, monkeypatch):
    path = tmp_path / "wikitext.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        for part in ("train", "valid", "test"):
            zipped.writestr(f"wikitext-2-raw/wiki.{part}.raw", f" = {part} = é\n")
    monkeypatch.setattr(corpora, "WIKITEXT_2", here(path))

    assert load_corpus("wikitext-2", "valid", folder=tmp_path) == " = valid = é\n"


def test_penn_treebank_is_one_file_for_each_part(tmp_path, monkeypatch):
    path = tmp_path / "ptb.test.txt"
    path.write_text(" no it was n't black monday \n")
    monkeypatch.setitem(corpora.PENN_TREEBANK, "test", here(path))

    assert load_corpus("penn-treebank", "test", folder=tmp_path).startswith(" no it was n't")


def test_what_is_known_of_the_files():
    """Every address names a version, so that the checksum stays true."""
    remotes = [corpora.SHAKESPEARE, corpora.WIKITEXT_2, *corpora.PENN_TREEBANK.values()]
    for remote in remotes:
        assert "/master/" not in remote.url
        assert "/main/" not in remote.url
        assert len(bytes.fromhex(remote.sha256)) == 32
        assert replace(remote, size=1).name == remote.name


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("tolstoy",),
            "name must be 'shakespeare', 'wikitext-2' or 'penn-treebank', got 'tolstoy'",
        ),
        (("shakespeare", "dev"), r"part must be one of \('train', 'valid', 'test'\), got 'dev'"),
    ],
)
def test_what_is_not_there_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        load_corpus(*arguments)
