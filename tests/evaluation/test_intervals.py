"""Tests of bigmodel_lib/evaluation/intervals.py."""

import numpy as np
import pytest
from scipy import stats

from bigmodel_lib.evaluation.intervals import bootstrap_interval


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_it_is_the_percentile_interval_of_scipy(level):
    values = np.random.default_rng(1).exponential(size=60)

    low, high = bootstrap_interval(values, level=level, seed=3)

    theirs = stats.bootstrap(
        (values,),
        np.mean,
        method="percentile",
        confidence_level=level,
        n_resamples=10_000,
        rng=np.random.default_rng(4),
    ).confidence_interval
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.015)


def test_two_cases_worked_by_hand():
    """A quarter of the draws has 0 twice, a quarter 1 twice, and half has both."""
    assert bootstrap_interval([0.0, 1.0], level=0.4) == (0.5, 0.5)  # from 30% to 70%
    assert bootstrap_interval([0.0, 1.0], level=0.6) == (0.0, 1.0)  # from 20% to 80%


def test_it_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    inside = 0
    for _ in range(300):
        low, high = bootstrap_interval(rng.normal(2.0, 1.0, 50), level=0.9, n_draws=300)
        inside += low <= 2.0 <= high
    assert 0.84 <= inside / 300 <= 0.94


def test_pairs_narrow_it():
    rng = np.random.default_rng(0)
    hard = rng.normal(size=80)
    one, other = hard + rng.normal(0.3, 0.1, 80), hard + rng.normal(0.0, 0.1, 80)

    low, high = bootstrap_interval(one - other)
    apart = [bootstrap_interval(values) for values in (one, other)]

    assert low > 0.2
    assert high - low < 0.3 * (apart[0][1] - apart[0][0])


def test_the_same_seed_draws_the_same():
    values = np.random.default_rng(0).normal(size=60)  # no two draws have one mean
    assert bootstrap_interval(values, seed=1) == bootstrap_interval(values, seed=1)
    assert bootstrap_interval(values, seed=1) != bootstrap_interval(values, seed=2)


def test_bad_input_is_told():
    with pytest.raises(ValueError, match=r"at least two numbers in a row, got shape \(1,\)"):
        bootstrap_interval([1.0])
    with pytest.raises(ValueError, match=r"level must be between 0 and 1 .* got 95 and 10000"):
        bootstrap_interval([1.0, 2.0], level=95)
