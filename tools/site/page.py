"""What is changed on each page that Sphinx wrote: lighter, better labelled, described."""

import re

from bs4 import BeautifulSoup, Tag

DESCRIPTION_LENGTH = 200
ACCESSIBLE = {  # selector -> attributes that axe-core and screen readers ask for
    'i[class*="fa-"], span[class*="fa-"]': {"aria-hidden": "true"},
    "#pst-primary-sidebar": {"role": "region", "aria-label": "The book"},
    "#pst-search-dialog": {"aria-label": "Search"},
    "#pst-primary-sidebar-modal": {"aria-label": "Contents of the book"},
    "#pst-secondary-sidebar-modal": {"aria-label": "Contents of this page"},
    ".citation-list": {"role": "list"},
    ".citation-list > .citation": {"role": "listitem"},  # docutils' own role is deprecated
    "dt > a.headerlink": {"tabindex": "-1"},  # hundreds of stops between entry and entry
}
THEME_BEFORE_FIRST_PAINT = """
(() => {
  const page = document.documentElement.dataset;
  page.mode = localStorage.getItem("mode") || "auto";
  const dark = page.mode === "dark" ||
    (page.mode !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  page.theme = dark ? "dark" : "light";
})();
"""


def improve(soup: BeautifulSoup) -> None:
    """Change one page in place."""
    drop_what_is_not_used(soup)
    settle_theme(soup)
    arrange_glossary(soup)
    label_controls(soup)
    fold_dropdowns(soup)
    describe(soup)


def drop_what_is_not_used(soup: BeautifulSoup) -> None:
    """Remove the icon script (the font does it), empty placeholders and repeated tags."""
    for script in soup.select('script[src*="fontawesome.js"]'):
        script.decompose()
    for placeholder in soup.select("#ethical-ad-placement, .pst-async-banner-revealer"):
        item = placeholder.find_parent(class_="sidebar-primary__section")
        (item or placeholder).decompose()
    for repeated in soup.select('meta[name="viewport"]')[1:]:
        repeated.decompose()


def settle_theme(soup: BeautifulSoup) -> None:
    """Choose light or dark before the first paint; the theme's own script does so at the end."""
    for script in soup.select("head script[data-cfasync]"):
        script.string = THEME_BEFORE_FIRST_PAINT


def arrange_glossary(soup: BeautifulSoup) -> None:
    """Mark Chinese entries for screen readers and fonts; add a row of first letters to jump to."""
    firsts: dict[str, str] = {}
    for term in soup.select("dl.glossary > dt[id]"):
        text = term.get_text()
        if re.search(r"[\u4e00-\u9fff]", text):
            term["lang"] = "zh-Hans"
        else:
            firsts.setdefault(text[0].upper(), str(term["id"]))
    if firsts:
        row = soup.new_tag("nav", attrs={"class": "letters", "aria-label": "First letters"})
        for letter, anchor in firsts.items():
            link = soup.new_tag("a", href=f"#{anchor}")
            link.string = letter
            row.append(link)
        soup.select("dl.glossary")[0].insert_before(row)


def label_controls(soup: BeautifulSoup) -> None:
    """Give each control a name that a screen reader can say; hide decorations from it."""
    for selector, attributes in ACCESSIBLE.items():
        for element in soup.select(selector):
            element.attrs |= attributes
    for corner in soup.select("th"):
        if not corner.get_text(strip=True) and not corner.find("img"):
            corner.name = "td"  # an empty corner of a table heads nothing
    for control in soup.select("button[title]:not([aria-label]), a.headerlink[title]"):
        control["aria-label"] = control["title"]
    for summary in soup.select(".bd-links summary"):
        part = summary.find_previous("a")
        assert part
        summary["aria-label"] = f"Show or hide the pages of {part.get_text(strip=True)}"


def fold_dropdowns(soup: BeautifulSoup) -> None:
    """Turn `dropdown` admonitions into <details>, which needs no script and prints unfolded."""
    for box in soup.select("div.admonition.dropdown"):
        title = box.find(class_="admonition-title")
        assert isinstance(title, Tag)
        box.name, title.name = "details", "summary"
        for link in title.select("a"):
            link.unwrap()


def describe(soup: BeautifulSoup) -> None:
    """Add a description for search engines and for links that people share."""
    assert soup.head
    assert soup.title
    given = soup.select_one('meta[name="description"]')
    text = str(given["content"]) if given else first_sentences(soup)
    title = re.sub(r"^[\d.]+\s+", "", soup.title.get_text().split(" — ")[0])
    tags = {"og:title": title, "og:type": "article", "og:description": text}
    tags["og:site_name"] = soup.title.get_text().split(" — ")[-1]
    address = soup.select_one('link[rel="canonical"]')
    if address:
        tags["og:url"] = str(address["href"])
    if not given:
        soup.head.append(soup.new_tag("meta", attrs={"name": "description", "content": text}))
    for name, content in tags.items():
        soup.head.append(soup.new_tag("meta", attrs={"property": name, "content": content}))


def first_sentences(soup: BeautifulSoup) -> str:
    """The page's first paragraphs without formulas, cut at a word."""
    text = ""
    for paragraph in soup.select("article section > p"):
        if len(text) > DESCRIPTION_LENGTH / 2:
            break
        if not paragraph.select(".math"):
            text = f"{text} {' '.join(paragraph.get_text().split())}".strip()
    if len(text) <= DESCRIPTION_LENGTH:
        return text
    return text[:DESCRIPTION_LENGTH].rsplit(" ", 1)[0].rstrip(",.;:") + "…"
