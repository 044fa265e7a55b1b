"""Code listings without the marks that change nothing: a third of a chapter's HTML."""

import re

from bs4 import BeautifulSoup

RULE = re.compile(
    r'html\[data-theme="(light|dark)"\] \.highlight(?: \.(\w+))? \{ ([^}]*) \}', re.MULTILINE
)


def plain_tokens(css: str) -> set[str]:
    """The token classes that a style sheet of Pygments draws like ordinary text, by day and night.

    Args:
        css: The sheet, with rules for both themes.
    """
    base: dict[str, str] = {}
    drawn: dict[str, set[bool]] = {}
    for theme, token, style in RULE.findall(css):
        color = re.search(r"(?<!-)color: (#\w+)", style)
        if not token and color:
            base[theme] = color[1].lower()
        elif token:
            plain = style.lower().strip() == f"color: {base.get(theme)}"
            drawn.setdefault(token, set()).add(plain)
    return {token for token, plain in drawn.items() if plain == {True}}


def simplify(soup: BeautifulSoup, plain: set[str]) -> None:
    """Unwrap the tokens of the classes in `plain`."""
    for span in soup.select(".highlight pre span"):
        classes = span.get_attribute_list("class")
        if (any(classes) and plain.issuperset(classes)) or not span.get_text(strip=True):
            span.unwrap()
