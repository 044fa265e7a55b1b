"""Self-checks of chapters/05_applications/01_semantic_search.ipynb."""

from math import log
from typing import Any

from bigmodel_lib.exercises.verdict import Verdict, choice, number


def check_bm25(answer: Any) -> Verdict:
    """Judge the BM25 score of a passage that has the question's word three times.

    The word is in 1 of 4 passages; the passage is twice as long as the mean; k1 = 1.2, b = 0.75.
    """
    rarity, k1, length = log(1 + 3.5 / 1.5), 1.2, 0.25 + 0.75 * 2
    right = rarity * 3 * (k1 + 1) / (3 + k1 * length)
    return number(
        answer,
        right,
        praise="rare, so it counts; mentioned three times, but not worth three.",
        mistakes={
            "that forgets how rare the word is.": right / rarity,
            "that leaves out the length of the passage.": rarity * 3 * (k1 + 1) / (3 + k1),
            "that is for b = 1: a quarter of the discount does not depend on the length.": (
                rarity * 3 * (k1 + 1) / (3 + 2 * k1)
            ),
            "that counts three mentions as three times one.": (
                3 * rarity * (k1 + 1) / (1 + k1 * length)
            ),
            "that is the rarity as TF-IDF counts it.": right / rarity * (log(5 / 2) + 1),
            "that leaves out k1 + 1.": right / (k1 + 1),
        },
        hint="rarity times 3 (k1 + 1) over 3 plus k1 times the discount for length.",
        rtol=0.004,
    )


def check_mrr(answer: Any) -> Verdict:
    """Judge the mean reciprocal rank of answers at places 1, 2, 5 and of one not found."""
    return number(
        answer,
        (1 + 1 / 2 + 1 / 5) / 4,
        praise="what is not found counts 0, and still counts as a question.",
        mistakes={
            "the question without an answer is left out; it counts 0.": (1 + 1 / 2 + 1 / 5) / 3,
            "that is one over the mean place; take one over each place first.": 3 / 8,
            "that is the sum; divide it by the number of questions.": 1 + 1 / 2 + 1 / 5,
            "that is the mean place.": 8 / 3,
            "that is the recall at 5: the places within the five do not matter there.": 3 / 4,
        },
        hint="one divided by each place, 0 for what is not found; then the mean.",
    )


def check_pairing(answer: Any) -> Verdict:
    """Judge the choice of the interval for the difference of two systems on the same questions."""
    return choice(
        answer,
        "paired",
        {
            "paired": "what is hard for both cancels out within each difference.",
            "apart": "drawn apart, the two means vary with how hard their own questions happen to "
            "be, though both answered the same.",
            "overlap": "two intervals may overlap while the differences are all on one side.",
        },
    )
