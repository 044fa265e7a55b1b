"""Tests of tools/notebooks/compare.py."""

import base64
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from tools.notebooks.compare import Tolerance, outputs_difference, text_difference

DEFAULT = Tolerance()
WIDE = Tolerance(rtol=0.5)


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 0.5000", "loss 0.5049"),
        ("1,234.50 s", "1,240.00 s"),
        ("3.0e-05", "3.02e-05"),
        ("-2.50", "-2.51"),
        ("−2.50", "−2.51"),
        ("58.3 %", "58.4 %"),
        ("0.0", "-0.0"),
        ("2.2e-16", "0.0e+00"),  # residues of rounding
        ("tensor([0.1000, 0.9000])", "tensor([0.1001, 0.8999])"),
        ("std =  99.9 m", "std = 100.1 m"),  # padding to a width
        ("[ 0.001 -0.0]", "[ 0.001  0.0]"),
        ("[0.5    0.1234]", "[0.5001 0.1234]"),
        ("[1. 2.5]", "[1.001 2.5]"),
        ("(0.5, nan)", "(0.5, nan)"),
    ],
)
def test_the_same_within_the_default_tolerance(stored, fresh):
    assert text_difference(stored, fresh, DEFAULT) is None
    assert text_difference(fresh, stored, DEFAULT) is None


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 0.5000", "loss 0.5060"),
        ("1,797", "1,798"),
        ("1,797", "1,810"),
        ("1797.", "1810."),
        ("[1. 2.]", "[1. 3.]"),
        ("175 B", "176 B"),
        ("58 %", "59 %"),
        ("-0.5", "0.5"),
        ("+0.5", "-0.5"),
        ("3.0e-05", "3.0e-04"),
        ("1e3", "1e4"),
        ("0.00", "0.01"),
        ("1,797", "1797"),
        ("2", "2.0"),
        ("loss 0.5", "cost 0.5"),
        ("0.5 s", "0.5 m"),
        ("0.5", "0.5\n"),
        ("0.5 0.5", "0.5"),
        ("a  0.5", "a 0.5"),
        ("torch 2.13.0", "torch 2.13.1"),
        ("torch 2.13.0", "torch 2.14.0"),
        ("v1.50", "v1.51"),
        ("2024-05-01", "2024-05-02"),
        ("10-1.50", "10-1.60"),
        ("(0.5, nan)", "(0.5, 0.1)"),
        ("", "0.5"),
    ],
)
def test_not_the_same(stored, fresh):
    assert text_difference(stored, fresh, DEFAULT)
    assert text_difference(fresh, stored, DEFAULT)


def test_messages_show_what_was_and_what_is():
    assert text_difference("a\nloss 0.5", "a\ncost 0.5", DEFAULT) == (
        "line 2: stored 'loss 0.5', now 'cost 0.5'"
    )
    assert text_difference("n = 7", "n = 8", DEFAULT) == (
        "stored 7, now 8; allowed: no change of an integer"
    )
    assert text_difference("0.5", "0.6", DEFAULT) == (
        "stored 0.5, now 0.6; allowed: rtol 0.01, atol 1e-12"
    )


def test_a_cell_widens_what_it_declares_and_nothing_else():
    assert text_difference("took 1.00 s", "took 1.90 s", WIDE) is None
    assert text_difference("took 100 ms", "took 190 ms", WIDE)
    assert text_difference("took 100 ms", "took 190 ms", Tolerance(rtol=0.5, integers=True)) is None
    assert text_difference("took 100 ms", "took 300 ms", Tolerance(rtol=0.5, integers=True))
    assert text_difference("error 1.2e-07", "error 3.0e-08", Tolerance(atol=1e-6)) is None


@given(st.text())
def test_a_text_is_itself(text):
    assert text_difference(text, text, DEFAULT) is None


@given(st.integers(), st.integers(), st.sampled_from(["{}", "{:,}", "{} %", "n={},", "[{}]"]))
def test_integers_are_exact(a, b, form):
    difference = text_difference(form.format(a), form.format(b), DEFAULT)
    assert (difference is None) == (a == b)


@given(
    st.floats(1e-3, 1e6),
    st.floats(-0.5, 0.5),
    st.sampled_from(["{:.9f}", "{:>20.8f}", "x = {:.9e} m", "{:,.9f} %", "[{:.9f} 3]"]),
)
def test_floats_move_within_the_tolerance(value, change, form):
    other = value * (1 + change)
    expected = abs(value - other) <= 0.01 * max(value, other)
    margin = abs(abs(change) - 0.01)
    if margin > 1e-3:
        difference = text_difference(form.format(value), form.format(other), DEFAULT)
        assert (difference is None) == expected


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"rtol": 1}, "rtol must be at least 0 and below 1, got 1"),
        ({"rtol": float("nan")}, "rtol must be at least 0 and below 1, got nan"),
        ({"atol": 1e9}, "atol must be between 0 and 1, got 1000000000.0"),
        ({"integers": "yes"}, "integers must be true or false, got 'yes'"),
        ({"tol": 0.1}, r"knows \['atol', 'integers', 'rtol'\], got \['tol'\]"),
    ],
)
def test_a_tolerance_that_cannot_fail_is_refused(declared, message):
    with pytest.raises(ValueError, match=message):
        Tolerance.of({"metadata": {"bigmodel": declared}})


def stream(text, name="stdout"):
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data):
    return {"output_type": "display_data", "metadata": {}, "data": data}


def picture(width, height):
    file = io.BytesIO()
    Image.new("RGB", (width, height)).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()


def error(name, value):
    return {"output_type": "error", "ename": name, "evalue": value, "traceback": [str(id(value))]}


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ([], []),
        ([stream("a 0.50")], [stream("a 0.501")]),
        ([stream("a"), stream("x", "stderr")], [stream("y", "stderr"), stream("a")]),
        ([shown(**{"image/png": picture(4, 3)})], [shown(**{"image/png": picture(4, 3)})]),
        ([error("ValueError", "got 12")], [error("ValueError", "got 12")]),
        ([shown(**{"text/html": ["<b>", "1.0</b>"]})], [shown(**{"text/html": "<b>1.0</b>"})]),
    ],
)
def test_outputs_that_agree(stored, fresh):
    assert outputs_difference(stored, fresh, DEFAULT) is None


@pytest.mark.parametrize(
    ("stored", "fresh", "message"),
    [
        ([], [stream("a")], "stored outputs: none; now: stdout"),
        ([stream("a")], [], "stored outputs: stdout; now: none"),
        ([stream("a")], [stream("a"), stream("b")], "now: stdout; stdout"),
        ([stream("a")], [error("KeyError", "a")], "now: KeyError"),
        (
            [shown(**{"image/png": picture(4, 3), "text/plain": "x"})],
            [shown(**{"text/plain": "x"})],
            r"\(image/png, text/plain\); now: display_data \(text/plain\)",
        ),
        (
            [shown(**{"image/png": picture(4, 3)})],
            [shown(**{"image/png": picture(4, 2)})],
            "image/png: stored size 4×3, now 4×2",
        ),
        (
            [shown(**{"image/svg+xml": '<svg width="4pt" height="3pt"></svg>'})],
            [shown(**{"image/svg+xml": '<svg width="5pt" height="3pt"></svg>'})],
            "stored size width=4pt",
        ),
        ([shown(**{"text/html": "<b>7</b>"})], [shown(**{"text/html": "<b>8</b>"})], "text/html"),
        ([shown(**{"application/json": {"a": 1}})], [shown(**{"application/json": {"a": 2}})], "1"),
        ([error("ValueError", "got 12")], [error("ValueError", "got 13")], "evalue: stored 12"),
        ([error("ValueError", "got 12")], [error("TypeError", "got 12")], "now: TypeError"),
    ],
)
def test_outputs_that_differ(stored, fresh, message):
    with pytest.raises(AssertionError, match=message):
        assert (difference := outputs_difference(stored, fresh, DEFAULT)) is None, difference
