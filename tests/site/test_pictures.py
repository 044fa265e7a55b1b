"""Converted pictures have the same pixels, and the size at which the notebook showed them."""

import numpy as np
import pytest
from bs4 import BeautifulSoup
from PIL import Image

from tools.site import pictures


@pytest.mark.parametrize(("dpi", "shown"), [(150, ("300", "200")), (75, ("600", "400"))])
def test_same_pixels_at_the_right_size(tmp_path, dpi, shown) -> None:
    ramp = np.linspace(0, 255, 600 * 400 * 4).reshape(400, 600, 4).astype(np.uint8)
    (tmp_path / "_images").mkdir()
    (tmp_path / "book").mkdir()
    path = tmp_path / "_images/plot.png"
    Image.fromarray(ramp).save(path, dpi=(dpi, dpi), compress_level=0)
    pictures.convert(tmp_path / "_images")
    source = '"../_images/plot.png"'
    page = BeautifulSoup(
        f"<article><a href={source}><img src={source}></a></article>", "html.parser"
    )
    pictures.place(page, tmp_path / "book/page.html")
    image = page.img
    assert (image["width"], image["height"]) == shown
    assert page.a["href"] == image["src"]
    assert not path.exists()
    with Image.open((tmp_path / "book" / image["src"]).resolve()) as converted:
        np.testing.assert_array_equal(np.asarray(converted), ramp)
