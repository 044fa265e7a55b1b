"""Every page of the built book, opened from disk with all outside requests blocked."""

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from fontTools.ttLib import TTFont
from playwright.sync_api import BrowserContext, Page, expect

from tests.site import checks
from tools.site.build import ROOT, built_pages, expected_pages

SITE = ROOT / "_build" / "html"
PAGES = [*sorted(expected_pages(ROOT)), "search.html", "404.html"]
NARROW = 320


class Ends(HTMLParser):
    """What a page links to, and where on it a link can lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.names: set[str | None] = set()
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.names.add(found.get("id"))
        if tag == "a" and (link := found.get("href")):
            self.links.append(link)


ends = cache(Ends)


@cache
def icon_fonts() -> dict[str, set[int]]:
    """The code points in the icon fonts that the site serves."""
    names = {
        '900 "Font Awesome 6 Free"': "fa-solid-900",
        '400 "Font Awesome 6 Free"': "fa-regular-400",
        '400 "Font Awesome 6 Brands"': "fa-brands-400",
    }
    folder = SITE / "_static/vendor/fontawesome/webfonts"
    found = {}
    for name, file in names.items():
        with TTFont(folder / f"{file}.woff") as font:
            found[name] = set(font.getBestCmap())
    return found


def url(page: str) -> str:
    """A page's address on this disk."""
    return (SITE / page).as_uri()


@pytest.fixture(autouse=True)
def _built() -> None:
    if not (SITE / "index.html").exists():
        pytest.fail("there is no site to test; build it with: python -m tools.site.build")


def test_site_holds_the_pages_of_the_table_of_contents() -> None:
    assert built_pages(SITE) == expected_pages(ROOT)


@pytest.mark.parametrize("name", PAGES)
def test_page(context: BrowserContext, name: str) -> None:
    watcher = checks.Watcher(context)
    page = context.new_page()
    found: dict[str, list[str]] = {}
    for number, mode in enumerate(checks.MODES):
        checks.switch(page, mode)
        if number == 0:
            page.goto(url(name))
            checks.settle(page)
            found |= whatever_the_mode(page, watcher)
            checks.thin_code(page)
        found[f"axe, {mode}"] = checks.axe(page)
    found["scrolls sideways at 390"] = checks.sideways(page)
    found["cut at 390"] = checks.cut_formulas(page)
    found["stretched at 390"] = checks.stretched(page)
    page.set_viewport_size({"width": NARROW, "height": 700})
    found["scrolls sideways at 320"] = checks.sideways(page)
    found["while loading"] = watcher.collect()
    lines = [f"{check}: {fault}" for check, faults in found.items() for fault in faults[:9]]
    report = "\n".join(lines)
    assert not report, f"{name}\n{report}"


def whatever_the_mode(page: Page, watcher: checks.Watcher) -> dict[str, list[str]]:
    """The checks whose result does not depend on size and colours."""
    return {
        "weight": checks.weight(page, watcher.files),
        "formulas": checks.formulas(page),
        "alt text": checks.alt_texts(page),
        "icons": checks.icons(page, icon_fonts()),
        "focus": checks.focus(page),
    }


@pytest.mark.parametrize("name", PAGES[:-2])
def test_page_is_described(name: str) -> None:
    text = (SITE / name).read_text(encoding="utf-8")
    description = text.split('<meta content="')[1:]
    described = [part.split('"')[0] for part in description if 'name="description"' in part[:400]]
    assert described
    assert len(described[0]) > 50


@pytest.mark.parametrize("name", PAGES)
def test_every_link_inside_the_book_leads_somewhere(name: str) -> None:
    dead = []
    for link in ends(SITE / name).links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = SITE / name
        if parts.path:
            target = (target.parent / unquote(parts.path)).resolve()
        names = ends(target).names if target.suffix == ".html" and target.is_file() else set()
        if not target.is_file() or (parts.fragment and unquote(parts.fragment) not in names):
            dead.append(link)
    assert not dead


def test_search_finds_a_page_from_disk(context: BrowserContext) -> None:
    watcher = checks.Watcher(context)
    page = context.new_page()
    page.goto(url("book/notation.html"))
    page.keyboard.press("Control+k")
    page.keyboard.type("attention")
    page.keyboard.press("Enter")
    first = page.locator("#search-results li a").first
    expect(first).to_be_visible()
    links = page.locator("#search-results li a").evaluate_all("all => all.map((a) => a.href)")
    assert [link for link in links if not Path(unquote(urlsplit(link).path)).exists()] == []
    first.click()
    expect(page.locator("article h1")).to_be_visible()
    assert watcher.collect() == []


def test_search_says_what_each_page_is_about(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{url('search.html')}?q=glossary")
    text = page.locator("#search-results li", has_text="Glossary").locator("p.context").first
    expect(text).to_contain_text("technical term")


def test_tip_opens_on_hover_and_focus_and_closes_on_escape(context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(url("book/notation.html"))
    checks.settle(page)
    link = page.locator("article a[data-tip]", has_text="tokens").first
    card = page.locator(".tip-card")
    expect(card).to_be_hidden()
    link.hover()
    expect(card).to_contain_text("The unit a language model reads")
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    page.mouse.move(0, 0)
    link.scroll_into_view_if_needed()
    page.keyboard.press("Tab")  # from here on, focus is the keyboard's
    link.focus()
    expect(card).to_be_visible()
    assert page.locator(f"#{link.get_attribute('aria-describedby')}").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme_follows_the_system_before_first_paint(context: BrowserContext, scheme: str) -> None:
    page = context.new_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(url("index.html"), wait_until="commit")
    page.wait_for_selector("body", state="attached")
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


def test_launch_buttons_lead_to_the_repository(context: BrowserContext) -> None:
    page = context.new_page()
    chapter = next(name for name in PAGES if (ROOT / name).with_suffix(".ipynb").exists())
    page.goto(url(chapter))
    links = page.locator(".dropdown-launch-buttons a").evaluate_all("all => all.map((a) => a.href)")
    path = chapter.removesuffix(".html") + ".ipynb"
    assert [link.split("/")[2] for link in links] == ["mybinder.org", "colab.research.google.com"]
    assert all(link.endswith(path) for link in links)
