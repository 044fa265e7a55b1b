"""Pictures as lossless WebP: half the bytes of the notebooks' PNG, the same pixels."""

from pathlib import Path
from urllib.parse import unquote

from bs4 import BeautifulSoup
from PIL import Image

RETINA = 120  # dots per inch; a notebook's "retina" figure has 150 and is shown at half its size


def convert(folder: Path) -> None:
    """Replace each PNG by a WebP file with the same pixels, where that is smaller."""
    for path in folder.glob("*.png"):
        target = path.with_suffix(".webp")
        with Image.open(path) as picture:
            dpi = picture.info.get("dpi", (0, 0))[0]
            scale = 2 if dpi > RETINA else 1
            target = path.with_name(f"{path.stem}@{scale}x.webp")
            picture.save(target, lossless=True, exact=True, method=4)
        if target.stat().st_size < path.stat().st_size:
            path.unlink()
        else:
            target.unlink()


def place(soup: BeautifulSoup, page: Path) -> None:
    """Point a page to the converted pictures and write their sizes, so that text does not jump."""
    for image in soup.select("article img[src]"):
        image["loading"], image["decoding"] = "lazy", "async"
        image.attrs.pop("style", None)  # a fixed height would stretch what a phone makes narrower
        source = str(image["src"])
        path = page.parent / unquote(source.partition("?")[0])
        for scale in (1, 2):
            converted = path.with_name(f"{path.stem}@{scale}x.webp")
            if converted.exists():
                image["src"] = source.replace(path.name, converted.name)
                for link in image.find_parents("a", href=source):
                    link["href"] = image["src"]
                with Image.open(converted) as picture:
                    image["width"], image["height"] = (str(n // scale) for n in picture.size)
        if path.suffix == ".png" and path.exists():
            with Image.open(path) as picture:
                image["width"], image["height"] = map(str, picture.size)
