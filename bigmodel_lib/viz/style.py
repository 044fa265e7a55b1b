"""One matplotlib style for every figure, readable on a white and on a dark page.

The figure is transparent, so it takes the page's background; nothing is inverted in dark mode.
Text and axes are a mid-grey, and every colour of `COLORS` is neither very light nor very dark:
each has a contrast of at least 3:1 (WCAG 2.2, 1.4.11) on white and on the dark page. The
colours stay apart for readers with protanopia, deuteranopia and tritanopia, simulated as in
Machado, Oliveira & Fernandes (2009), A Physiologically-based Model for Simulation of Color Vision
Deficiency, IEEE Transactions on Visualization and Computer Graphics 15(6).
"""

import sys

from cycler import cycler
from matplotlib import style
from matplotlib.colors import to_rgb
from matplotlib.typing import ColorType

GREY = "#7a7a7a"
COLORS = {
    "blue": "#6d83e6",
    "orange": "#d17f19",
    "pink": "#ad389a",
    "green": "#21a45b",
    "brown": "#8e601b",
    "grey": GREY,
}
SEQUENTIAL = "viridis"  # an image's colours are its own: they mean the same on both pages
DIVERGING = "PuOr"

RC_PARAMS = {
    "axes.edgecolor": GREY,
    "axes.facecolor": "none",
    "axes.grid": False,
    "axes.labelcolor": GREY,
    "axes.prop_cycle": cycler(color=list(COLORS.values())),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlecolor": GREY,
    "axes.titlelocation": "left",
    "axes.titlesize": 14,
    "boxplot.boxprops.color": GREY,
    "boxplot.capprops.color": GREY,
    "boxplot.flierprops.markeredgecolor": GREY,
    "boxplot.whiskerprops.color": GREY,
    "figure.constrained_layout.use": True,
    "figure.dpi": 75,  # doubled by the "retina" format: 150 dots per inch, crisp at 75
    "figure.edgecolor": "none",
    "figure.facecolor": "none",
    "figure.figsize": (7.2, 3.8),
    "font.size": 13,
    "grid.alpha": 0.35,
    "grid.color": GREY,
    "hatch.color": GREY,
    "image.cmap": SEQUENTIAL,
    "image.interpolation": "nearest",
    "legend.facecolor": "none",
    "legend.frameon": False,
    "lines.linewidth": 2.0,
    "patch.edgecolor": GREY,
    "savefig.bbox": None,  # the size is the figure's, not its content's
    "savefig.facecolor": "none",
    "svg.hashsalt": "bigmodel",
    "text.color": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
}


def use_style() -> None:
    """Draw every later figure of this notebook in the book's style."""
    style.use(RC_PARAMS)
    if "IPython" in sys.modules:
        from IPython.core.getipython import get_ipython

        if get_ipython() is not None:
            from matplotlib_inline.backend_inline import set_matplotlib_formats

            set_matplotlib_formats("retina", bbox_inches=None)


def contrast(one: ColorType, other: ColorType) -> float:
    """Contrast ratio of two colours, from 1 (equal) to 21 (black on white); WCAG 2.2, 1.4.3."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def ink_on(color: ColorType) -> str:
    """Return "black" or "white", whichever is easier to read on `color` (a heatmap's cell)."""
    return max(("black", "white"), key=lambda ink: contrast(ink, color))


def _luminance(color: ColorType) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
