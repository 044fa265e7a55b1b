"""Tests of tools/notebooks/page.py."""

import json

import pytest

from tools.notebooks.page import Page


@pytest.fixture
def pieces(tmp_path):
    def read(source, *kinds):
        path = tmp_path / "page.md"
        path.write_text(source)
        return [(p.kind, p.name, p.content) for p in Page.read(path).of(*kinds) if p.content]

    return read


def test_prose_is_read_as_the_site_reads_it(pieces):
    source = "# A $x$ and {cite:t}`a,b`\n\n![Alt *text*](b.png) costs \\$5, not $6\n\n$$\ny\n$$\n"
    assert pieces(source, "text", "math", "display_math", "role", "image") == [
        ("text", "", "A "),
        ("math", "", "x"),
        ("text", "", " and "),
        ("role", "cite:t", "a,b"),
        ("image", "b.png", "Alt *text*"),
        ("text", "", " costs 5, not $6"),
        ("display_math", "", "\ny\n"),
    ]


@pytest.mark.parametrize("fence", ["```", ":::", "````"])
def test_a_directive_is_opened(pieces, fence):
    source = f"{fence}{{figure}} a.svg\n:alt: A cat\n:name: fig-a\nIt is $x$.\n{fence}\n"
    assert pieces(source, "math") == [("math", "", "x")]


def test_options_in_either_style(tmp_path):
    path = tmp_path / "page.md"
    head = "```{exercise} Title here\n"
    path.write_text(f"{head}:label: ex-a\nBody\n```\n\n{head}---\nlabel: ex-a\n---\nBody\n```\n")
    first, second = Page.read(path).of("directive")

    assert first == second
    assert first.argument == "Title here"
    assert first.options == {"label": "ex-a"}
    assert first.content == "Body\n"


@pytest.mark.parametrize("source", ["`$x`", "```\n$x\n```", "```{code-block} tex\n$x\n```"])
def test_code_is_not_prose(pieces, source):
    assert pieces(source, "text", "math") == []


def test_a_notebook_is_read_as_it_is_stored(tmp_path):
    """No identifier is invented and no mistake repaired."""
    path = tmp_path / "page.ipynb"
    cells = [{"cell_type": "code", "metadata": {}, "source": ["a\n", "b"], "outputs": []}]
    path.write_text(json.dumps({"cells": cells, "metadata": {}}))
    page = Page.read(path)

    assert page.code == [(0, cells[0] | {"source": "a\nb"})]
    assert page.is_notebook
