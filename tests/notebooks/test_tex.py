"""Tests of tools/notebooks/tex.py."""

import pytest

from tools.notebooks.tex import formula_mistakes


@pytest.mark.parametrize(
    "tex",
    [
        "x",
        r"\frac{a}{b}",
        r"\left\{ x \right\}",
        r"\left( \frac{1}{2} \right.",
        r"\begin{aligned} a &= b \\ c &= d \end{aligned}",
        r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix}",
        r"50\,\%",
        r"\leftarrow \rightarrow",
        r"\{1, 2\}",
        r"\operatorname{softmax}\!\left(\frac{QK^\top}{\sqrt{K}}\right)V",
        r"f(x) = \begin{cases} 1 & \text{if $x > 0$} \\ 0 \end{cases}",
    ],
)
def test_right(tex):
    assert list(formula_mistakes(tex)) == []


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        (" ", "empty formula"),
        (r"\frac{a}{b", "never closed: {"),
        (r"\frac{a}b}", "} closes nothing"),
        (r"\left( x", "never closed: left"),
        (r"x \right)", r"\right closes nothing"),
        (r"{ \left( } \right)", "} closes something else"),
        (r"\begin{aligned} a", "never closed: aligned"),
        (r"\begin{aligned} a \end{align}", r"\end{align} closes something else"),
        (r"a \end{cases}", r"\end{cases} closes nothing"),
        (r"\begin{alinged} a \end{alinged}", "unknown environment 'alinged'"),
        (r"50 % of x", "an unescaped % hides the rest of the line"),
        ("x \\", "formula ends with a backslash"),
        ("a $ b", "a $ inside a formula"),
    ],
)
def test_wrong(tex, message):
    assert message in list(formula_mistakes(tex))
