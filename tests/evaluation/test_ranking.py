"""Tests of bigmodel_lib/evaluation/ranking.py."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import ndcg_score, precision_score, recall_score

from bigmodel_lib.evaluation.ranking import (
    first_rank,
    hit_at_k,
    ndcg_at_k,
    precision_at_k,
    recall_at_k,
    reciprocal_rank,
)

AT_K = [hit_at_k, precision_at_k, recall_at_k, ndcg_at_k]
# Places of the relevant items, worked by hand: 2 and 4; 1; 3.
SCORES = [[0.1, 0.9, 0.8, 0.2], [5.0, 1.0, 2.0, 3.0], [4.0, 3.0, 2.0, 1.0]]
RELEVANT = [[1, 0, 1, 0], [1, 0, 0, 0], [0, 0, 1, 0]]


def test_a_case_worked_by_hand():
    assert first_rank(SCORES, RELEVANT).tolist() == [2, 1, 3]
    np.testing.assert_allclose(reciprocal_rank(SCORES, RELEVANT), [1 / 2, 1, 1 / 3])
    assert hit_at_k(SCORES, RELEVANT, 2).tolist() == [1, 1, 0]
    assert precision_at_k(SCORES, RELEVANT, 2).tolist() == [0.5, 0.5, 0]
    assert recall_at_k(SCORES, RELEVANT, 2).tolist() == [0.5, 1, 0]
    assert recall_at_k(SCORES, RELEVANT, 4).tolist() == [1, 1, 1]
    assert precision_at_k(SCORES, RELEVANT, 8).tolist() == [2 / 8, 1 / 8, 1 / 8]  # four stay empty


def test_ndcg_worked_by_hand():
    # Places 2 and 4 against the best, 1 and 2; place 1; place 3.
    first = (1 / np.log2(3) + 1 / np.log2(5)) / (1 + 1 / np.log2(3))
    np.testing.assert_allclose(ndcg_at_k(SCORES, RELEVANT, 4), [first, 1, 0.5])
    np.testing.assert_allclose(ndcg_at_k(SCORES, RELEVANT, 2)[2], 0)


@pytest.mark.parametrize("k", [1, 3, 10, 99])
def test_ndcg_is_that_of_scikit_learn(k):
    rng = np.random.default_rng(k)
    scores, gains = rng.normal(size=(20, 30)), rng.integers(0, 4, size=(20, 30))

    ours = ndcg_at_k(scores, gains, k)

    theirs = [ndcg_score(g[None], s[None], k=k) for g, s in zip(gains, scores, strict=True)]
    np.testing.assert_allclose(ours, theirs)


@pytest.mark.parametrize("k", [1, 3, 12])
def test_precision_and_recall_are_those_of_scikit_learn(k):
    """Of what is among the first k; whatever its grade, an item is relevant or it is not."""
    rng = np.random.default_rng(k)
    scores, gains = rng.normal(size=(20, 12)), rng.integers(0, 4, size=(20, 12))
    found, relevant = scores >= -np.sort(-scores, axis=1)[:, k - 1 : k], gains > 0

    for ours, theirs in ((precision_at_k, precision_score), (recall_at_k, recall_score)):
        expected = [theirs(*query) for query in zip(relevant, found, strict=True)]
        np.testing.assert_allclose(ours(scores, gains, k), expected)


def test_the_first_is_not_the_best_grade():
    scores, gains = [[4.0, 3.0, 2.0, 1.0]], [[0, 1, 3, 0]]
    assert first_rank(scores, gains) == 2
    assert reciprocal_rank(scores, gains) == 0.5
    assert hit_at_k(scores, gains, 2) == 1


def test_the_same_score_for_everything_does_not_look_good():
    scores, relevant = np.zeros((10, 10)), np.eye(10)  # wherever the relevant item stands
    assert first_rank(scores, relevant).tolist() == [10] * 10
    assert all(not measure(scores, relevant, 9).any() for measure in AT_K)


def test_what_is_left_out_is_not_ranked():
    scores, relevant = [[-np.inf, 2.0, 1.0]], [[1, 0, 1]]
    assert first_rank(scores, relevant) == 2
    assert recall_at_k(scores, relevant, 3) == 0.5
    assert reciprocal_rank([[-np.inf, 0.0]], [[1, 0]]) == 0
    assert all(measure([[-np.inf, 0.0]], [[1, 0]], 2) == 0 for measure in AT_K)


@given(st.integers(0, 10_000), st.integers(1, 12))
def test_only_the_order_of_the_scores_counts(seed, k):
    rng = np.random.default_rng(seed)
    scores, relevant = rng.normal(size=(4, 8)), rng.random((4, 8)) < 0.3
    relevant[:, 0] |= ~relevant.any(axis=1)
    for measure in AT_K:
        once = measure(scores, relevant, k)
        np.testing.assert_allclose(measure(np.exp(scores) * 7, relevant, k), once)
        assert ((once >= 0) & (once <= 1)).all()
    perfect = relevant + 0.0
    np.testing.assert_allclose(ndcg_at_k(perfect, relevant, k), 1)
    np.testing.assert_allclose(reciprocal_rank(perfect, relevant), 1)


def test_bad_input_is_told():
    with pytest.raises(ValueError, match=r"one shape, got \(1, 2\) and \(1, 3\)"):
        first_rank([[1, 2]], [[1, 0, 0]])
    with pytest.raises(ValueError, match="got 1 NaN"):
        reciprocal_rank([[np.nan, 1.0]], [[1, 0]])
    with pytest.raises(ValueError, match="look at query 1"):
        recall_at_k([[1, 2], [1, 2]], [[0, 1], [0, 0]], 1)
    with pytest.raises(ValueError, match="look at query 0"):
        ndcg_at_k([[1, 2]], [[-1, 1]], 1)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        hit_at_k([[1, 2]], [[0, 1]], 0)
