"""Hover-tips: what a link to a term, an equation or a source leads to, carried in the page itself.

Each such link is given `data-tip`, naming an element of a hidden list at the page's foot;
`book/_static/book.js` shows it on hover and on keyboard focus.
"""

import copy
import posixpath
from urllib.parse import unquote

from bs4 import BeautifulSoup, Tag

Pages = dict[str, BeautifulSoup]


def previews(pages: Pages) -> dict[tuple[str, str], Tag]:
    """What may be previewed, by page and anchor: glossary entries, equations, bibliography."""
    found = {}
    for name, soup in pages.items():
        for term in soup.select("dl.glossary > dt[id]"):
            found[name, term["id"]] = term.find_next_sibling("dd")
        for equation in soup.select("div.math[id]"):
            found[name, equation["id"]] = equation
        for work in soup.select("div.citation[id]"):
            found[name, work["id"]] = work.find("p")
    return found


def add(name: str, soup: BeautifulSoup, previews: dict[tuple[str, str], Tag]) -> None:
    """Mark the links of one page that have a preview and append the previews they need."""
    tips: dict[tuple[str, str], Tag] = {}
    article = soup.select_one("article.bd-article")
    if article is None:
        return
    for link in article.select("a.reference.internal[href]"):
        page, _, anchor = unquote(str(link["href"])).partition("#")
        target = posixpath.normpath(posixpath.join(posixpath.dirname(name), page)) if page else name
        preview = previews.get((target, anchor))
        if preview is None or (needs_mathjax(preview) and not has_mathjax(soup)):
            continue
        tip = tips.setdefault((target, anchor), _tip(soup, preview, len(tips)))
        link["data-tip"] = link["aria-describedby"] = tip["id"]
        link.attrs.pop("title", None)  # the browser's own tip would cover ours
    if tips:
        shelf = soup.new_tag("div", attrs={"class": "tips", "hidden": ""})
        shelf.extend(tips.values())
        article.append(shelf)


def needs_mathjax(preview: Tag) -> bool:
    """Whether it is, or contains, a formula."""
    return "math" in preview.get_attribute_list("class") or bool(preview.select(".math"))


def has_mathjax(soup: BeautifulSoup) -> bool:
    """Whether the page loads MathJax."""
    return any("mathjax/" in script["src"] for script in soup.select("script[src]"))


def _tip(soup: BeautifulSoup, preview: Tag, number: int) -> Tag:
    """A copy without links and ids, for a tip can neither be entered nor linked to."""
    tip = soup.new_tag("div", attrs={"id": f"tip-{number}", "role": "tooltip"})
    clone = copy.copy(preview)
    for anchor in clone.select("a.headerlink, span.eqno"):
        anchor.decompose()
    for link in clone.select("a"):
        link.unwrap()
    for element in [clone, *clone.select("[id]")]:
        element.attrs.pop("id", None)
    tip.extend(list(clone.contents) if clone.name == "dd" else [clone])
    return tip
