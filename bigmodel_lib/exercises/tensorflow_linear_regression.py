"""Self-checks of chapters/04_code/02_tensorflow_linear_regression.ipynb."""

from math import sqrt
from typing import Any

from bigmodel_lib.exercises.verdict import Verdict, number

# Mean of x² is 4/3 and mean of x is 1 for x uniform on [0, 2).
_HIGHER, _LOWER = (7 / 3 + sqrt(37) / 3) / 2, (7 / 3 - sqrt(37) / 3) / 2


def check_noise(answer: Any) -> Verdict:
    """Judge the prediction at 0.5 for y = 3x + 2 + u², u uniform on [0, 1)."""
    return number(
        answer,
        3.5 + 1 / 3,
        rtol=0.002,
        praise="least squares learns the mean of what it is given, noise included.",
        mistakes={
            "that is the line without the noise; what is the mean of u²?": 3.5,
            "that is the square of the mean; take the mean of the square.": 3.75,
            "that is with u, not u².": 4.0,
            "that is the intercept that is learned; the slope has its part at 0.5 too.": 2 + 1 / 3,
            "that is the largest value that y can take there.": 4.5,
        },
        hint="the prediction is the mean of y at x = 0.5: integrate u² from 0 to 1.",
    )


def check_border(answer: Any) -> Verdict:
    """Judge the largest stable learning rate for the mean squared error and x uniform on [0, 2)."""
    return number(
        answer,
        1 / _HIGHER,
        praise="wider inputs, smaller steps, but the border falls less than mean x² grows.",
        mistakes={
            "the derivative of a square brings a factor 2 into the curvature.": 2 / _HIGHER,
            "that is the rate that jumps to the bottom in the steepest direction.": 1
            / (2 * _HIGHER),
            "that is the border of the flattest direction; the steepest explodes before.": 1
            / _LOWER,
            "slope and intercept share data: take the eigenvalues of the whole matrix.": 3 / 4,
            "that is the border for x between 0 and 1, as in the chapter.": 1
            / ((4 / 3 + sqrt(13) / 3) / 2),
        },
        hint="write down 2 (mean x², mean x; mean x, 1) and find its largest eigenvalue.",
    )
