"""The pages built must be those of `_toc.yml`: one missing or one too many is noticed."""

import pytest

from tools.site.build import built_pages, expected_pages


@pytest.fixture
def book(tmp_path):
    """A book of three pages and its site."""
    (tmp_path / "_toc.yml").write_text(
        "format: jb-book\nroot: book/intro\nparts:\n"
        "- chapters:\n  - file: chapters/a\n    sections:\n    - file: chapters/b\n"
    )
    for page in ("index", "chapters/a", "chapters/b", "search", "genindex"):
        path = tmp_path / "site" / f"{page}.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("<html></html>")
    return tmp_path


def test_a_whole_book_is_whole(book):
    expected = {"index.html", "chapters/a.html", "chapters/b.html"}
    assert expected_pages(book) == expected
    assert built_pages(book / "site") == expected


def test_a_missing_page_is_noticed(book):
    (book / "site" / "chapters" / "b.html").unlink()
    assert expected_pages(book) - built_pages(book / "site") == {"chapters/b.html"}


def test_a_page_that_nobody_listed_is_noticed(book):
    (book / "site" / "chapters" / "c.html").write_text("<html></html>")
    assert built_pages(book / "site") - expected_pages(book) == {"chapters/c.html"}
