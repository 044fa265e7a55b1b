"""Tests of bigmodel_lib/viz/style.py."""

import io
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb
from PIL import Image

from bigmodel_lib.viz.style import COLORS, GREY, RC_PARAMS, contrast, ink_on, use_style

PAGES = ["#ffffff", "#121212", "#111111"]  # white, the site's dark page, JupyterLab's dark page
MACHADO = {  # Machado et al. (2009), table 1, severity 1.0; applied to linear RGB
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
                   [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
                     [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
                   [0.004733, 0.691367, 0.303900]],
    "trichromacy": np.eye(3),
}  # fmt: skip


@pytest.fixture
def style():
    with mpl.rc_context():
        use_style()
        yield
    plt.close("all")


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIE 1976 L*a*b* of linear RGB under D65, in which 2.3 is a just noticeable difference."""
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x = np.array(to_xyz) @ rgb.clip(0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(x > 0.008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("#000", "#fff", 21.0), ("#777", "#fff", 4.478), ("#f00", "#fff", 3.998), ("b", "b", 1.0)],
)
def test_contrast_of_known_pairs(one, other, expected):
    assert contrast(one, other) == pytest.approx(expected, abs=1e-3)
    assert contrast(other, one) == contrast(one, other)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("color", COLORS.values(), ids=COLORS)
def test_every_colour_reads_on_both_pages(color, page):
    assert contrast(color, page) >= 3.0


@pytest.mark.parametrize("page", PAGES)
def test_text_reads_on_both_pages(page):
    """Four to one: with one grey for both pages, 4.33 is the most that can be reached."""
    assert contrast(GREY, page) >= 4.2


@pytest.mark.parametrize("sight", MACHADO)
def test_colours_stay_apart_for_every_reader(sight):
    rgb = np.array([to_rgb(color) for color in COLORS.values()])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = [lab(np.array(MACHADO[sight]) @ color) for color in linear]

    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 20


def test_ink_on_a_heatmap_is_readable_everywhere():
    for color in mpl.colormaps["viridis"](np.linspace(0, 1, 50)):
        assert contrast(ink_on(color), color) >= 4.5


def test_figures_are_transparent_and_keep_their_size(style):
    """The page shows through, and long labels do not change the number of pixels."""
    sizes = set()
    for label in ("y", "a very long label\nwith two lines"):
        fig, ax = plt.subplots(figsize=(4, 3))
        ax.set_ylabel(label)
        buffer = io.BytesIO()
        fig.savefig(buffer, format="png")
        image = Image.open(buffer).convert("RGBA")
        sizes.add(image.size)
        corner = image.getpixel((0, 0))
        assert isinstance(corner, tuple)
        assert corner[3] == 0
    assert sizes == {(300, 225)}


def test_no_text_or_line_keeps_matplotlibs_black(style):
    fig, ax = plt.subplots()
    ax.plot([0, 1], [0, 1], label="line")
    ax.set(title="title", xlabel="x", ylabel="y")
    ax.legend()
    fig.canvas.draw()
    texts = [text for text in fig.findobj(mpl.text.Text) if text.get_text()]

    assert len(texts) > 5
    for text in texts:
        for page in PAGES:
            assert contrast(text.get_color(), page) >= 4.2
    assert ax.lines[0].get_color() in COLORS.values()


def test_every_setting_is_one_that_matplotlib_knows():
    assert not set(RC_PARAMS) - set(mpl.rcParams)
