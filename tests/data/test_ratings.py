"""Tests of bigmodel_lib/data/ratings.py."""

import hashlib
import zipfile

import numpy as np
import pytest

from bigmodel_lib.data import ratings
from bigmodel_lib.data.download import Remote
from bigmodel_lib.data.ratings import draw_ratings, load_movielens


def test_no_one_rates_a_thing_twice():
    users, items, stars = draw_ratings(50, 40, 900)
    assert len(set(zip(users.tolist(), items.tolist(), strict=True))) == 900
    assert set(stars.tolist()) == {1.0, 2.0, 3.0, 4.0, 5.0}
    assert users.max() < 50
    assert items.max() < 40


def test_the_seed_decides_everything():
    one, again, other = draw_ratings(), draw_ratings(), draw_ratings(seed=1)
    np.testing.assert_array_equal(one.stars, again.stars)
    assert not np.array_equal(one.items, other.items)


def test_the_first_items_are_the_popular_ones():
    _, items, _ = draw_ratings()
    counts = np.bincount(items, minlength=300)
    assert counts[:30].sum() > 3 * counts[-30:].sum() * 0.9
    assert counts.min() > 10


def test_the_ratings_have_the_rank_that_was_asked_for():
    """All pairs rated, no noise: what users and items leave unexplained is K directions."""
    _, _, stars = draw_ratings(200, 100, 20_000, n_factors=2, noise=0.0, seed=3)
    table = stars.reshape(200, 100)
    centred = table - table.mean(0) - table.mean(1, keepdims=True) + table.mean()
    values = np.linalg.svd(centred, compute_uv=False) ** 2

    assert values[:2].sum() / values.sum() > 0.7
    assert values[1] > 4 * values[2]


@pytest.mark.parametrize("n_factors", [1, 4, 32])
def test_taste_moves_a_rating_by_a_star_whatever_the_number_of_factors(n_factors):
    """Variance 0.3² + 0.3² + 1 + 1/12 (rounding), a little less where stars end at 1 and 5."""
    _, _, stars = draw_ratings(300, 300, 20_000, n_factors=n_factors, noise=0.0)
    assert 0.85 < stars.std() < (0.09 + 0.09 + 1 + 1 / 12) ** 0.5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_users": 0}, "n_ratings and n_factors must be at least 1 .* got 0, 300"),
        ({"noise": -1.0}, "noise at least 0, got .* and -1.0"),
        (
            {"n_users": 10, "n_items": 10, "n_ratings": 101},
            "n_ratings must be at most 100, got 101",
        ),
    ],
)
def test_impossible_requests_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        draw_ratings(**arguments)


def test_movielens_is_read_oldest_first(tmp_path, monkeypatch):
    path = tmp_path / "ml-100k.zip"
    with zipfile.ZipFile(path, "w") as zipped:
        zipped.writestr("ml-100k/u.data", "196\t2\t3\t881250949\n186\t1\t5\t881250000\n")
        films = "1|Toy Story (1995)|01-Jan-1995||x\n2|Misérables, Les (1995)|01-Jan-1995||x\n"
        zipped.writestr("ml-100k/u.item", films.encode("latin-1"))
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    remote = Remote(url="http://127.0.0.1:1/ml-100k.zip", size=len(content), sha256=digest)
    monkeypatch.setattr(ratings, "MOVIELENS_100K", remote)
    (users, items, stars), titles = load_movielens(tmp_path)

    assert users.tolist() == [185, 195]
    assert items.tolist() == [0, 1]
    assert stars.tolist() == [5.0, 3.0]
    assert titles == ["Toy Story (1995)", "Misérables, Les (1995)"]
