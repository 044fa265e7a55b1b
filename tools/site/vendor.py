"""Third-party files, cut to what the pages use: MathJax, and the icons of Font Awesome."""

import importlib.metadata
import logging
import re
import shutil
from pathlib import Path

from fontTools import subset

# The parts that `mathjax3_config: loader` in _config.yml names: 165 KiB gzipped. The package's
# combined tex-mml-chtml.js, with a second input format and menus, would be 260.
MATHJAX = (
    "startup.js",
    "core.js",
    "input/tex.js",
    "output/chtml.js",
    "output/chtml/fonts/tex.js",
    "output/chtml/fonts/woff-v2/*.woff",
    "a11y/assistive-mml.js",
)
ICON_RULE = re.compile(r'((?:\.fa-[\w-]+:before,?)+)\{content:"\\([0-9a-f]+)"\}')
FONT_SOURCE = re.compile(r'url\(([^)]*)\.woff2\) format\("woff2"\),url\([^)]*\.ttf\)[^};]*')


def copy_mathjax(static: Path) -> None:
    """Copy the one script and the fonts that pages load from the package that carries them."""
    files = importlib.metadata.files("sphinx-mathjax-offline") or []
    start = "static/mathjax/"
    for file in files:
        if any(file.match(start + pattern) for pattern in MATHJAX):
            target = static / "mathjax" / file.as_posix().split(start)[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file.locate(), target)
    if not (static / "mathjax" / MATHJAX[0]).exists():
        raise FileNotFoundError(
            f"the installed package sphinx-mathjax-offline has no {start}{MATHJAX[0]}"
        )


def cut_icons(static: Path, used: set[str]) -> None:
    """Keep of Font Awesome's fonts and style rules the icons that are used.

    Args:
        static: The site's `_static` folder.
        used: Class names like `fa-rocket`.
    """
    sheet = static / "styles" / "pydata-sphinx-theme.css"
    css = sheet.read_text(encoding="utf-8")
    codes = {ord(letter) for letter in css if "\ue000" <= letter <= "\uf8ff"}
    for other in static.rglob("*.css"):
        if other != sheet:  # icons that a style rule draws by their number
            numbers = re.findall(r'content:\s*"\\(f[0-9a-f]{3})"', other.read_text("utf-8"))
            codes |= {int(number, 16) for number in numbers}

    def keep(rule: re.Match) -> str:
        if used.isdisjoint(re.findall(r"\.(fa-[\w-]+):before", rule[1])):
            return ""
        codes.add(int(rule[2], 16))
        return rule[0]

    css = ICON_RULE.sub(keep, css)
    css = FONT_SOURCE.sub(r'url(\1.woff) format("woff")', css)
    sheet.write_text(re.sub(r"/\*# sourceMappingURL=.*?\*/", "", css), encoding="utf-8")
    for font in (static / "vendor/fontawesome/webfonts").glob("*.woff2"):
        _cut_font(font, codes)


def _cut_font(path: Path, codes: set[int]) -> None:
    """Write the font's glyphs for `codes` beside it as .woff (which needs no Brotli)."""
    options = subset.Options(flavor="woff", notdef_outline=True, layout_features=[])
    logging.getLogger("fontTools").setLevel(logging.WARNING)
    with subset.load_font(path.with_suffix(".ttf"), options) as font:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=codes)
        cutter.subset(font)
        subset.save_font(font, path.with_suffix(".woff"), options)
    path.unlink()
    path.with_suffix(".ttf").unlink()


def icons_used(texts: list[str]) -> set[str]:
    """The icon class names that occur in pages and scripts."""
    return {name for text in texts for name in re.findall(r"\bfa-[a-z0-9-]+", text)}
