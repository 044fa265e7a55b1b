"""From Sphinx's plain pages to the finished site."""

import json
import shutil
from pathlib import Path

from bs4 import BeautifulSoup

from tools.site import listings, page, passport, pictures, tips, vendor

NOT_SERVED = shutil.ignore_patterns(
    "*.map", "*.po", "*.mo", "locales", "fontawesome.js*", "webpack-macros.html",
    "sbt-webpack-macros.html", "objects.inv", ".buildinfo", ".doctrees",
)  # fmt: skip


def finish(plain: Path, site: Path, root: Path, base: str = "./") -> None:
    """Make the site that readers open.

    Args:
        plain: What Sphinx wrote.
        site: Where to write; must not exist.
        root: The project, where the chapters' notebooks are.
        base: The path at which a server shows the site, for its page about missing pages.
    """
    shutil.copytree(plain, site, ignore=NOT_SERVED)
    paths = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    pages = {
        name: BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        for name, path in paths.items()
    }
    pictures.convert(site / "_images")
    plain_tokens = listings.plain_tokens((site / "_static/pygments.css").read_text("utf-8"))
    previews = tips.previews(pages)
    for name, soup in pages.items():
        page.improve(soup)
        pictures.place(soup, paths[name])
        listings.simplify(soup, plain_tokens)
        notebook = (root / name).with_suffix(".ipynb")
        stamp = passport.read(notebook) if notebook.exists() else None
        if stamp:
            passport.add(soup, stamp)
        tips.add(name, soup, previews)
    _describe_search_results(site, pages)
    texts = {name: str(soup) for name, soup in pages.items()}
    for name, text in texts.items():
        paths[name].write_text(text, encoding="utf-8")
    scripts = [path.read_text(encoding="utf-8") for path in (site / "_static").rglob("*.js")]
    vendor.cut_icons(site / "_static", vendor.icons_used([*texts.values(), *scripts]))
    vendor.copy_mathjax(site / "_static")
    write_not_found(site, root, base)


def _describe_search_results(site: Path, pages: tips.Pages) -> None:
    """Give the search page each page's description: pages cannot be fetched from file://."""
    found = {
        name: str(meta["content"])
        for name, soup in pages.items()
        for meta in soup.select('meta[name="description"]')
    }
    script = f"window.BOOK_DESCRIPTIONS = {json.dumps(found, ensure_ascii=False)};"
    (site / "_static" / "descriptions.js").write_text(script, encoding="utf-8")
    search = pages["search.html"]
    assert search.head
    search.head.append(search.new_tag("script", src="_static/descriptions.js"))


def write_not_found(site: Path, root: Path, base: str) -> None:
    """Write the page that a server shows for a wrong address: it needs no other file."""
    text = Path(__file__).with_name("not_found.html").read_text(encoding="utf-8")
    logo = (root / "book/_static/logo.svg").read_text(encoding="utf-8")
    page = text.replace("LOGO", logo).replace("BASE", base)
    (site / "404.html").write_text(page, encoding="utf-8")
