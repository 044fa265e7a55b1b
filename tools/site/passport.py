"""The passport at the foot of a chapter: when, with what and on what it was last run."""

import json
from pathlib import Path

from bs4 import BeautifulSoup, Tag


def read(notebook: Path) -> dict | None:
    """The passport that `tools.notebooks.execute` stored, or None if the chapter has none."""
    metadata = json.loads(notebook.read_text(encoding="utf-8"))["metadata"]
    return metadata.get("bigmodel", {}).get("passport")


def rows(passport: dict) -> list[tuple[str, str]]:
    """What to print: pairs of a name and a value."""
    packages = ", ".join(f"{name} {version}" for name, version in passport["packages"].items())
    seconds, gigabytes = passport["seconds"], passport["peak_mb"] / 1000
    return [
        ("Executed", passport["date"]),
        ("In", f"{seconds:.0f} s, {gigabytes:.1f} GB of memory at the peak"),
        ("On", f"{passport['cpu']}, {passport['cores']} cores{_threads(passport)}"),
        ("Profile", passport["profile"]),
        ("With", f"Python {passport['python']}" + (f", {packages}" if packages else "")),
    ]


def _threads(passport: dict) -> str:
    """How many threads computed, where the passport tells."""
    number = passport.get("threads")
    return f", {number} thread{'s' * (number != 1)}" if number else ""


def add(soup: BeautifulSoup, passport: dict) -> None:
    """Put the passport after the page's last section."""
    table = soup.new_tag("dl")
    for name, value in rows(passport):
        pair = soup.new_tag("div")
        for tag, text in (("dt", name), ("dd", value)):
            cell = soup.new_tag(tag)
            cell.string = text
            pair.append(cell)
        table.append(pair)
    title = soup.new_tag("h2", id="passport")
    title.string = "Last run"
    foot = soup.new_tag("aside", attrs={"class": "passport", "aria-labelledby": "passport"})
    foot.extend([title, table])
    article = soup.select_one("article.bd-article")
    assert isinstance(article, Tag)
    article.append(foot)
