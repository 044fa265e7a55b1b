"""Who liked what: ratings drawn from a stated model, or the MovieLens ones.

Model:  Koren, Bell & Volinsky (2009), Matrix Factorization Techniques for Recommender Systems,
        Computer 42(8), doi:10.1109/MC.2009.263: a rating is a mean, plus what is usual for the
        user and for the item, plus the dot product of the user's taste and the item's nature.
Data:   MovieLens 100K, Harper & Konstan (2015), The MovieLens Datasets: History and Context, ACM
        Transactions on Interactive Intelligent Systems 5(4), doi:10.1145/2827872.

Shapes: N ratings, U users, I items, K latent factors.
"""

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bigmodel_lib.data.download import Remote, download

MOVIELENS_100K = Remote(
    url="https://files.grouplens.org/datasets/movielens/ml-100k.zip",
    size=4_924_029,
    sha256="50d2a982c66986937beb9ffb3aa76efe955bf3d5c6b761f4e3a7cd717c6a3229",
)


class Ratings(NamedTuple):
    """Ratings (N,) of 1 to 5 stars, and who gave each to what; ids count from zero."""

    users: NDArray[np.int64]
    items: NDArray[np.int64]
    stars: NDArray[np.float32]


def draw_ratings(
    n_users: int = 500,
    n_items: int = 300,
    n_ratings: int = 20_000,
    *,
    n_factors: int = 4,
    noise: float = 0.5,
    seed: int = 0,
) -> Ratings:
    """Draw ratings from the latent-factor model, each user and item at most once together.

    With p, q ~ N(0, 1/√K) for tastes and natures (K factors each), and b, c ~ N(0, 0.3²) for
    what is usual, stars = 3.5 + b + c + p·q + N(0, noise²), rounded and kept within 1 to 5. Half
    of the pairs are spread evenly; the others favour a few items, as in life.

    Args:
        n_users: Number of users, U.
        n_items: Number of items, I.
        n_ratings: Number of ratings, N; at most U · I.
        n_factors: Number of latent factors, K.
        noise: Standard deviation of what no model can predict, in stars.
        seed: The same seed draws the same ratings.

    Raises:
        ValueError: If a number is below one, `noise` is negative, or N is above U · I.
    """
    if min(n_users, n_items, n_ratings, n_factors) < 1 or noise < 0.0:
        raise ValueError(
            f"n_users, n_items, n_ratings and n_factors must be at least 1 and noise at least 0, "
            f"got {n_users}, {n_items}, {n_ratings}, {n_factors} and {noise}"
        )
    if n_ratings > n_users * n_items:
        raise ValueError(f"n_ratings must be at most {n_users * n_items}, got {n_ratings}")
    rng = np.random.default_rng(seed)
    tastes = rng.normal(0.0, n_factors**-0.25, (n_users, n_factors))  # (U, K)
    natures = rng.normal(0.0, n_factors**-0.25, (n_items, n_factors))  # (I, K)
    of_user, of_item = rng.normal(0.0, 0.3, n_users), rng.normal(0.0, 0.3, n_items)

    popularity = 0.5 / n_items + 0.5 * _zipf(n_items)  # (I,)
    pairs = rng.choice(
        n_users * n_items, n_ratings, replace=False, p=np.tile(popularity / n_users, n_users)
    )
    users, items = np.divmod(np.sort(pairs), n_items)  # (N,) each
    stars = 3.5 + of_user[users] + of_item[items] + (tastes[users] * natures[items]).sum(-1)
    stars = (stars + rng.normal(0.0, noise, n_ratings)).round().clip(1, 5)
    return Ratings(users, items, stars.astype(np.float32))


def load_movielens(folder: Path | None = None) -> tuple[Ratings, list[str]]:
    """Download MovieLens 100K (4.9 MB) unless it is here: 100,000 ratings, oldest first.

    Args:
        folder: Where to keep the file; None is the data folder.

    Returns:
        The ratings, and the title of each film.
    """
    with zipfile.ZipFile(download(MOVIELENS_100K, folder)) as zipped:
        rows = np.loadtxt(zipped.read("ml-100k/u.data").decode().splitlines(), dtype=np.int64)
        films = zipped.read("ml-100k/u.item").decode("latin-1").splitlines()
    rows = rows[np.argsort(rows[:, 3], kind="stable")]  # user, item, stars, second of 1997-98
    titles = [film.split("|")[1] for film in films]
    return Ratings(rows[:, 0] - 1, rows[:, 1] - 1, rows[:, 2].astype(np.float32)), titles


def _zipf(n_items: int) -> NDArray[np.float64]:
    """Shares that fall as 1, 1/2, 1/3 …; they sum to one."""
    shares = 1.0 / np.arange(1, n_items + 1)
    return shares / shares.sum()
