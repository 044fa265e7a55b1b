"""Tests of bigmodel_lib/accounting/hardware.py."""

import time

import pytest

from bigmodel_lib.accounting.hardware import (
    A100,
    ACCELERATORS,
    H100,
    TPU_V4,
    flops_utilisation,
    measure_peak_flops,
)


@pytest.mark.parametrize("chip", ACCELERATORS, ids=lambda chip: chip.name)
def test_every_chip_states_its_source_and_plausible_numbers(chip):
    """Matrix units are faster than 32-bit arithmetic; a joule buys 0.1 to 2 tera-operations."""
    assert chip.source
    peak = max(chip.peak_flops.values())
    assert peak >= chip.peak_flops.get("float32", 0.0)
    assert 0.1e12 < peak / chip.watts < 2e12
    assert 10 < chip.ridge < 500


def test_ridge_of_the_a100_worked_by_hand():
    """312 tera-operations against 2.039 terabytes: 153 operations for each byte."""
    assert A100.ridge == pytest.approx(153, abs=0.1)


def test_palm_reached_46_percent():
    """Chowdhery et al. (2022), table 3: 238.3 thousand tokens a second on 6,144 TPU v4.

    540.35 billion parameters, 118 layers of 48 heads of width 256, 2,048 tokens: 6 N + 12 L H Q T.
    """
    per_token = 6 * 540.35e9 + 12 * 118 * 48 * 256 * 2_048
    peak = 6_144 * TPU_V4.peak_flops["bfloat16"]
    utilisation = flops_utilisation(238.3e3 * per_token, 1.0, peak)
    assert utilisation == pytest.approx(0.462, abs=0.001)


@pytest.mark.parametrize(("seconds", "peak"), [(0.0, 1e12), (1.0, 0.0), (-1.0, 1e12)])
def test_utilisation_of_nothing_is_refused(seconds, peak):
    with pytest.raises(ValueError, match="seconds and peak_flops must be above 0, got"):
        flops_utilisation(1e12, seconds, peak)


def test_the_best_time_counts_and_the_warm_up_does_not(monkeypatch):
    """A clock of our own: the warm-up takes 1 second, then 4, 2 and 5; 2 · 8³ = 1,024."""
    ticks = iter([0.0, 1.0, 10.0, 14.0, 20.0, 22.0, 30.0, 35.0])
    monkeypatch.setattr(time, "perf_counter", lambda: next(ticks))
    assert measure_peak_flops(size=8, repeats=3) == 1_024 / 2


def test_a_measured_peak_is_plausible():
    """More than a pocket calculator, less than an H100."""
    assert 1e8 < measure_peak_flops(size=256) < H100.peak_flops["float32"]
