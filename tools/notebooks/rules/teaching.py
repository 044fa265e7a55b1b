"""Rules on what makes a page a lesson: a prediction, exercises, solutions that ran."""

import re
from collections.abc import Iterator

from tools.notebooks.page import Page, Piece

Findings = Iterator[tuple[int | None, str]]

_FOLDED = {"hide-cell", "hide-input"}


def prediction(page: Page) -> Findings:
    """The reader predicts before measuring."""
    if not any(
        re.search(r"before you run", f"{piece.argument} {piece.content}", re.IGNORECASE)
        for piece in page.of("text", "directive")
    ):
        yield None, 'no prediction: no "Before you run …" comes before a cell'


def exercises(page: Page) -> Findings:
    """There are exercises, and each has a folded solution after it."""
    found = [p for p in page.of("directive") if p.name in ("exercise", "exercise-start")]
    solved = [p for p in page.of("directive") if _is_solution(p)]
    if not found:
        yield None, "no exercises"
    for exercise in found:
        label = exercise.options.get("label")
        if not label:
            yield exercise.cell, "the exercise has no :label:"
        elif label not in {solution.argument for solution in solved}:
            yield exercise.cell, f"the exercise {label} has no solution"
    labels = {exercise.options.get("label") for exercise in found}
    for solution in solved:
        if solution.argument not in labels:
            yield solution.cell, f"a solution of {solution.argument}, which is no exercise here"
        if "dropdown" not in solution.options.get("class", "").split():
            yield solution.cell, f"the solution of {solution.argument} is not folded (:class:)"


def solutions_ran(page: Page) -> Findings:
    """Code of a solution is a cell that ran, folded; not a listing that nobody ran.

    A solution that spans cells (`solution-start` … `solution-end`) folds what is between. A cell
    that follows a closed solution is folded by its tag.
    """
    for piece in page.of("directive"):
        if _is_solution(piece) and re.search(r"^\s*(```|~~~|:::)\s*\{?py", piece.content, re.M):
            yield piece.cell, f"the solution of {piece.argument} shows Python that did not run"
    closed = {piece.cell for piece in page.of("directive") if piece.name == "solution"}
    for index, cell in page.code:
        if index - 1 in closed and not _FOLDED & set(cell["metadata"].get("tags", [])):
            yield index, f"code of a solution without a tag {' or '.join(sorted(_FOLDED))}"
    starts = [piece.cell for piece in page.of("directive") if piece.name == "solution-start"]
    ends = [piece.cell for piece in page.of("directive") if piece.name == "solution-end"]
    if len(starts) != len(ends):
        yield None, f"{len(starts)} solutions start and {len(ends)} end"


def _is_solution(piece: Piece) -> bool:
    return piece.name in ("solution", "solution-start")
