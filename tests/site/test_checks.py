"""The checks can fail: each one meets a small page with the fault that it looks for."""

import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.site import checks
from tools.site import vendor

MATHJAX = """<script>MathJax = {loader: {load: ["input/tex", "output/chtml", "a11y/assistive-mml"]}}
</script><script defer src="mathjax/startup.js"></script>"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with MathJax in it, to write small pages to."""
    folder = tmp_path_factory.mktemp("pages")
    vendor.copy_mathjax(folder)
    return folder


@pytest.fixture
def show(context: BrowserContext, folder: Path):
    """Opens the page that has this body; the watcher that saw it load is `page.watcher`."""

    def show(body: str, mode: str = "desktop light", head: str = "") -> Page:
        watcher = checks.Watcher(context)
        page = context.new_page()
        page.watcher = watcher
        width, height, scheme = checks.MODES[mode]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        text = f"""<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>A page</title>
            {head}</head><body><main><h1>A page</h1><article>{body}</article></main></body>"""
        (folder / "page.html").write_text(text, encoding="utf-8")
        page.goto((folder / "page.html").as_uri())
        checks.settle(page)
        return page

    return show


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ('<img src="https://example.org/a.png" alt="a picture of something">', "request failed"),
        ('<script src="missing.js"></script>', "request failed"),
        ("<script>nowhere()</script>", "page error"),
        ('<script>console.error("ouch")</script>', "console: ouch"),
        ('<script>fetch("page.html")</script>', "console"),
    ],
)
def test_watcher_sees_what_goes_wrong_while_loading(show, body, fault) -> None:
    page = show(body)
    page.wait_for_timeout(100)
    assert any(line.startswith(fault) for line in page.watcher.collect())


def test_watcher_is_content_with_a_page_from_disk(show) -> None:
    page = show("<p>text</p>")
    assert page.watcher.collect() == []
    assert {file.name for file in page.watcher.files} == {"page.html"}


@pytest.mark.parametrize(
    ("formula", "faults"),
    [
        ('<span class="math">\\(x\\)</span>', []),
        ("the loss $x^2$ grows", ["raw TeX"]),
        ('<span class="math">\\(\\frac{1}\\)</span>', ["wrong", "wrong"]),
        ('<span class="math">\\(\\nonsense x\\)</span>', ["unknown command"]),
    ],
)
def test_formulas(show, formula, faults) -> None:
    found = checks.formulas(show(f"<p>{formula}</p>", head=MATHJAX))
    assert {line.split(":")[0] for line in found} == set(faults)


def test_formulas_that_nothing_typesets(show) -> None:
    found = checks.formulas(show('<p><span class="math">\\(x\\)</span> and $y^2$</p>'))
    assert [line.split(":")[0] for line in found] == ["not typeset", "raw TeX"]


def test_formula_cut_on_the_left(show) -> None:
    formula = '<div class="math" style="{}">\\[' + "x + " * 60 + "y\\]</div>"
    cut = "display: flex; justify-content: center; overflow: auto"
    assert checks.cut_formulas(show(formula.format(cut), "phone light", MATHJAX))
    assert not checks.cut_formulas(show(formula.format("overflow: auto"), "phone light", MATHJAX))


def test_sideways(show) -> None:
    wide = '<div style="width: 900px" class="wide">wide</div>'
    assert "DIV.wide" in checks.sideways(show(wide, "phone light"))[0]
    assert checks.sideways(show(f'<div style="overflow: auto">{wide}</div>', "phone light")) == []


@pytest.mark.parametrize(
    ("text", "human"),
    [
        ("Training loss falls and levels off", True),
        ("", False),
        ("figure", False),
        ("two words", False),
        ("../_images/9f8e7d6c5b4a39281706f5e4d3c2b1a0.png", False),
        ("a plot saved as loss.png here", False),
    ],
)
def test_alt_texts(show, text, human) -> None:
    image = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA="
    found = checks.alt_texts(show(f'<img src="{image}" alt="{text}">'))
    assert (found == []) == human


@pytest.mark.parametrize(
    ("style", "fine"), [("width: 60px", True), ("width: 60px; height: 9px", False)]
)
def test_stretched(show, style, fine) -> None:
    square = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' width='40' height='40'/>"
    found = checks.stretched(show(f'<img src="{square}" alt="a grey square" style="{style}">'))
    assert (found == []) == fine


FONT = "<style>i::before { font: 900 16px 'Some Font'; content: '%s' }</style>"


@pytest.mark.parametrize(("content", "drawn"), [("\\f135", True), ("\\f999", False), ("", False)])
def test_icons(show, content, drawn) -> None:
    page = show('<i class="fa-solid fa-rocket"></i>', head=FONT % content)
    assert (checks.icons(page, {'900 "Some Font"': {0xF135}}) == []) == drawn


@pytest.mark.parametrize(
    ("body", "seen"),
    [
        ('<a href="#a">plain</a>', True),
        ('<a href="#a" style="outline: none">no ring</a>', False),
        ('<button style="opacity: 0">hidden though focused</button>', False),
        ("<style>a{opacity:0;outline:0}a:focus{opacity:1}</style><a href='#'>x</a>", False),
        ('<style>b:has(:focus-visible){outline:2px solid}</style><b><input type="radio"'
         ' aria-label="one" style="opacity:0"></b>', True),
    ],
)  # fmt: skip
def test_focus(show, body, seen) -> None:
    assert (checks.focus(show(body)) == []) == seen


def test_focus_walks_every_stop(show) -> None:
    bad = '<a href="#a" style="outline: none">bad</a>'
    found = checks.focus(show('<a href="#b">good</a>' * 5 + bad + '<a href="#b">good</a>' + bad))
    assert len(found) == 2


@pytest.mark.parametrize("mode", checks.MODES)
def test_axe(show, mode) -> None:
    scheme = checks.MODES[mode][2]
    grey = f"<style>@media (prefers-color-scheme: {scheme}) {{ p {{ color: #ccc }} }}</style>"
    assert checks.axe(show("<p>black on white</p>", mode)) == []
    assert [line.split(":")[0] for line in checks.axe(show(f"{grey}<p>grey</p>", mode))] == [
        "color-contrast"
    ]


CODE = """<style>.pale {{ color: #ccc }} .dark {{ background: #333 }}</style>
<div><pre><span class="k">for</span> <span class="n">x</span> <span class="n">y</span></pre></div>
<div class="{}"><pre><span class="n">z</span><span class="n">my</span> <span class="n">zoo</span>
<span class="{}">in</span></pre></div>"""


@pytest.mark.parametrize(
    ("box", "word", "kinds", "bad"),
    [("", "k", 3, ""), ("", "pale", 4, ">in<"), ("dark", "n", 4, ">my<"), ("dark", "k", 5, ">my<")],
)
def test_thin_code_leaves_what_axe_objects_to(show, box, word, kinds, bad) -> None:
    page = show(CODE.format(box, word))
    text, faults = page.inner_text("article"), checks.axe(page)
    assert checks.thin_code(page, keep=1) == page.locator("pre span").count() == kinds
    assert page.inner_text("article") == text
    assert [fault.split(":")[0] for fault in checks.axe(page)] == ["color-contrast"] * bool(bad)
    assert bad in "".join(checks.axe(page))
    assert bad in "".join(faults)


def test_thin_code_spares_words_that_say_more_than_a_colour(show) -> None:
    word = "<span class='n' title='a hint'>x</span>"
    page = show(f"<pre>{word} {word}</pre>")
    assert checks.thin_code(page, keep=1) == 0
    assert page.locator("pre span").count() == 2


def test_weight_counts_pictures_further_down(show, folder) -> None:
    noise = folder / "noise.svg"
    noise.write_bytes(random.Random(0).randbytes(700_000))
    below = '<p style="height: 9000px"></p><img src="noise.svg" loading="lazy" alt="some noise">'
    page = show(below)
    assert page.watcher.files == {folder / "page.html"}
    assert re.fullmatch(r"\d+ KiB gzipped", checks.weight(page, page.watcher.files)[0])
    assert checks.weight(show("<p>light</p>"), {folder / "page.html"}) == []
