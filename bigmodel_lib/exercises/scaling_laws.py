"""Self-checks of chapters/06_trends/01_scaling_laws.ipynb."""

from typing import Any

from bigmodel_lib.accounting.scaling_laws import BESIROGLU
from bigmodel_lib.exercises.verdict import Verdict, number


def check_size_factor(answer: Any) -> Verdict:
    """Judge how many times larger a model is whose loss is 10 % lower, at Kaplan's 0.076."""
    exponent = 0.076
    return number(
        answer,
        0.9 ** (-1 / exponent),
        praise="a small exponent makes every per cent expensive.",
        mistakes={
            "this is the factor of the loss if the size falls by a tenth; turn the law round.": 0.9
            ** -exponent,
            "the loss should be nine tenths of what it was, not one tenth.": 10 ** (1 / exponent),
            "this is the size of the old model, seen from the new one.": 0.9 ** (1 / exponent),
            "this is the law for data; the question is about size.": 0.9 ** (-1 / 0.095),
            "the law is a power, so a tenth of the loss is not its share of the exponent.": 0.1
            / exponent,
        },
        hint="set the ratio of the two losses to 0.9, and solve for the ratio of the sizes.",
        rtol=0.02,
    )


def check_tokens_per_parameter(answer: Any) -> Verdict:
    """Judge the growth of D/N at a thousandfold budget, with Hoffmann's printed exponents."""
    alpha, beta, growth = 0.34, 0.28, 1_000
    total = alpha + beta
    return number(
        answer,
        growth ** ((alpha - beta) / total),
        praise="the exponents differ, so no number of tokens for each parameter is right always.",
        mistakes={
            "this is how the tokens grow; the parameters grow as well.": growth ** (alpha / total),
            "this is how the parameters grow.": growth ** (beta / total),
            "this is parameters for each token.": growth ** ((beta - alpha) / total),
            "it would be so if the two exponents were equal.": 1.0,
            "the exponents must be divided by their sum.": growth ** (alpha - beta),
        },
        hint="divide the two formulas of the optimum; the powers of C/6 subtract.",
    )


def check_half_size(answer: Any) -> Verdict:
    """Judge the compute of half the best size for the same loss, at GPT-3's budget."""
    n, d = BESIROGLU.optimum(3.14e23)
    for_data = float(BESIROGLU(n, d) - BESIROGLU.floor) - BESIROGLU.a * (n / 2) ** -BESIROGLU.alpha
    tokens = (for_data / BESIROGLU.b) ** (-1 / BESIROGLU.beta) / d
    return number(
        answer,
        tokens / 2,
        praise="the valley is shallow near its bottom: half the size, a quarter more training.",
        mistakes={
            "these are the tokens; each costs half as much with half the parameters.": tokens,
            "with twice the tokens the budget is the same, but the loss is higher.": 1.0,
            "this is what comes on top of the budget; the question is the whole.": tokens / 2 - 1,
            "this is the budget over the compute, upside down.": 2 / tokens,
        },
        hint="what the smaller size adds to the loss, more data must take away.",
        rtol=0.02,
    )
