"""What is changed on a page, on small pages written here."""

import pytest
from bs4 import BeautifulSoup

from tools.site import build, finish, listings, page, passport, tips

SHEET = """
html[data-theme="light"] .highlight { background: #fff; color: #111111 }
html[data-theme="light"] .highlight .n { color: #111111 }
html[data-theme="light"] .highlight .k { color: #0000ff }
html[data-theme="light"] .highlight .m { color: #111111 }
html[data-theme="light"] .highlight .s { color: #111111; font-weight: bold }
html[data-theme="dark"] .highlight { background: #000; color: #eeeeee }
html[data-theme="dark"] .highlight .n { color: #EEEEEE }
html[data-theme="dark"] .highlight .k { color: #99f }
html[data-theme="dark"] .highlight .m { color: #99f }
"""


def soup(text: str) -> BeautifulSoup:
    return BeautifulSoup(text, "html.parser")


def test_plain_tokens_are_plain_in_both_themes() -> None:
    assert listings.plain_tokens(SHEET) == {"n"}


def test_listing_keeps_its_text_and_its_coloured_tokens() -> None:
    page = soup(
        '<div class="highlight"><pre><span></span><span class="k">for</span><span class="w"> '
        '</span><span class="n">x</span>\n    <span class="k">in</span></pre></div>'
    )
    text = page.get_text()
    listings.simplify(page, {"n"})
    assert page.get_text() == text
    assert [span["class"] for span in page.select("span")] == [["k"], ["k"]]


def test_description_is_given_or_made_of_the_first_sentences() -> None:
    given = soup('<head><title>1.2. A — B</title><meta name="description" content="Hello."></head>')
    page.describe(given)
    assert given.select_one('meta[property="og:description"]')["content"] == "Hello."
    assert given.select_one('meta[property="og:title"]')["content"] == "A"
    made = soup(
        "<head><title>A — B</title></head><article><section><h1>A</h1><p>Short.</p>"
        f'<p>With <span class="math">\\(x\\)</span>.</p><p>{"word " * 80}</p></section></article>'
    )
    page.describe(made)
    content = made.select_one('meta[name="description"]')["content"]
    assert content.startswith("Short. word word")
    assert "x" not in content
    assert content.endswith("word…")
    assert len(content) <= page.DESCRIPTION_LENGTH + 1


def test_dropdown_becomes_details_without_a_link_in_its_summary() -> None:
    text = soup(
        '<div class="admonition dropdown solution"><p class="admonition-title">Solution to '
        '<a href="#ex">Exercise 1</a></p><section><p>42</p></section></div>'
    )
    page.fold_dropdowns(text)
    assert text.details.summary.get_text() == "Solution to Exercise 1"
    assert text.select("summary a") == []


def test_glossary_gets_letters_and_languages() -> None:
    text = soup(
        '<dl class="glossary"><dt id="a">attention</dt><dt id="z">注意力</dt><dd>x</dd>'
        '<dt id="b">batch</dt><dd>y</dd></dl>'
    )
    page.arrange_glossary(text)
    assert [link["href"] for link in text.select(".letters a")] == ["#a", "#b"]
    assert [term["id"] for term in text.select("[lang]")] == ["z"]


GLOSSARY = """<article class="bd-article"><dl class="glossary"><dt id="term-loss">loss</dt>
<dt id="term-zh">损失</dt><dd><p>How <a href="#term-x">wrong</a> it is.</p></dd></dl></article>"""
EQUATION = """<article class="bd-article"><div class="math" id="equation-e"><span class="eqno">(1)
<a class="headerlink">#</a></span>\\[x\\]</div></article>"""


def test_tips_carry_definitions_without_links_and_ids() -> None:
    pages = {"book/glossary.html": soup(GLOSSARY)}
    chapter = soup(
        '<article class="bd-article">'
        '<a class="reference internal" href="../book/glossary.html#term-loss">loss</a>'
        '<a class="reference internal" href="../book/glossary.html#term-zh">loss</a>'
        '<a class="reference internal" href="other.html">no tip</a></article>'
    )
    tips.add("parts/one.html", chapter, tips.previews(pages))
    assert [link.get("data-tip") for link in chapter.select("a")] == ["tip-0", "tip-1", None]
    assert chapter.select_one("#tip-0").get_text(strip=True) == "Howwrongit is."
    assert chapter.select(".tips a") == []


def test_equation_has_a_tip_only_where_something_typesets_it() -> None:
    link = (
        '<article class="bd-article"><a class="reference internal" href="a.html#equation-e">(1)</a>'
    )
    previews = tips.previews({"a.html": soup(EQUATION)})
    without, with_mathjax = soup(link), soup(f'<script src="x/mathjax/startup.js"></script>{link}')
    tips.add("b.html", without, previews)
    tips.add("b.html", with_mathjax, previews)
    assert without.select(".tips") == []
    assert with_mathjax.select_one("#tip-0").get_text() == "\\[x\\]"


def test_passport_stands_at_the_foot() -> None:
    stamp = {
        "date": "2026-11-22",
        "python": "3.11.7",
        "packages": {"torch": "2.13.0"},
        "cpu": "A Processor",
        "cores": 2,
        "threads": 1,
        "profile": "ci",
        "seconds": 12.6,
        "peak_mb": 812,
    }
    text = soup('<article class="bd-article"><p>text</p></article>')
    passport.add(text, stamp)
    foot = text.article.contents[-1]
    assert foot["aria-labelledby"] == foot.h2["id"]
    pairs = [(row.dt.get_text(), row.dd.get_text()) for row in foot.select("dl > div")]
    assert pairs == [
        ("Executed", "2026-11-22"),
        ("In", "13 s, 0.8 GB of memory at the peak"),
        ("On", "A Processor, 2 cores, 1 thread"),
        ("Profile", "ci"),
        ("With", "Python 3.11.7, torch 2.13.0"),
    ]


@pytest.mark.parametrize(
    ("base", "home"), [("./", "./index.html"), ("/a-book/", "/a-book/index.html")]
)
def test_missing_page_needs_no_other_file(tmp_path, base, home) -> None:
    finish.write_not_found(tmp_path, build.ROOT, base)
    text = soup((tmp_path / "404.html").read_text("utf-8"))
    assert text.select_one("a")["href"] == home
    assert text.select("link, script, img") == []
