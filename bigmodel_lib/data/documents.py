"""The text of a language model: a corpus by its name, or files of one's own; part of it held out.

What the model is measured on must be text that it never saw: the end of the corpus, in one piece.
"""

from pathlib import Path
from typing import get_args

from bigmodel_lib.data.corpora import Corpus
from bigmodel_lib.data.docstrings import load_docstrings
from bigmodel_lib.data.text import load_source, load_text

SUFFIXES = (".txt", ".md")  # what is read in a folder


def load_documents(source: str, *, valid_share: float = 0.1) -> tuple[list[str], list[str]]:
    """Return the documents to learn from, and those that are held out.

    Args:
        source: "python" for the language's reference, "stdlib" for its library's source and
            "docstrings" for what that library and the installed packages say about themselves,
            all on this machine; "shakespeare", "wikitext-2" or "penn-treebank", downloaded once;
            or the path of a file, or of a folder whose .txt and .md files are read, all in UTF-8.
        valid_share: Share of the characters to hold out, as in `hold_out`. Downloaded corpora
            have a part for it.

    Raises:
        ValueError: If there is no such corpus, file or folder, or no text in it.
    """
    if source in get_args(Corpus):
        return [load_text(source, "train")], [load_text(source, "valid")]  # type: ignore[arg-type]
    if source == "python":
        documents = [load_text()]
    elif source == "stdlib":
        documents = [load_source()]
    elif source == "docstrings":
        documents = load_docstrings()
    else:
        documents = read_documents(source)
    return hold_out(documents, valid_share)


def read_documents(path: str | Path) -> list[str]:
    """Read a file, or every .txt and .md file in a folder and below, in the order of their names.

    Raises:
        ValueError: If there is nothing to read, or a file is not UTF-8.
    """
    path = Path(path)
    if not path.exists():
        names = ", ".join(("python", "stdlib", "docstrings", *get_args(Corpus)))
        raise ValueError(f"{str(path)!r} is no file or folder, and none of the corpora {names}")
    inside = path.rglob("*") if path.is_dir() else [path]
    paths = sorted(p for p in inside if p.is_file() and (p == path or p.suffix in SUFFIXES))
    documents = [text for text in map(_read, paths) if text.strip()]
    if not documents:
        raise ValueError(f"{path} holds no text (in a folder, {' and '.join(SUFFIXES)} are read)")
    return documents


def hold_out(documents: list[str], share: float) -> tuple[list[str], list[str]]:
    """Cut the documents in two where `share` of all characters are left; one of them may be cut.

    Args:
        documents: In an order that is kept.
        share: Between 0 and 1.

    Raises:
        ValueError: If either part would be empty.
    """
    n_characters = sum(map(len, documents))
    left = round(share * n_characters)
    if not 0 < left < n_characters:
        raise ValueError(f"cannot hold out {share} of {n_characters} characters")
    train, valid = list(documents), []
    while left > 0:
        last = train.pop()
        cut = max(0, len(last) - left)
        valid.insert(0, last[cut:])
        left -= len(last) - cut
        if cut:
            train.append(last[:cut])
    return train, valid


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error}") from None
