"""What a validation run did, chapter by chapter, and whether that is enough."""

import statistics
from dataclasses import dataclass

from tools.notebooks.kernel import CHAPTER_SECONDS

LEAST_SHARE = 0.8
MEDIAN_SECONDS = 20


@dataclass
class Chapter:
    """Counts of one chapter's code cells.

    Attributes:
        cells: Code cells in the file.
        executed: Cells that were run.
        compared: Cells whose stored output was held against a new one.
        own: Cells among them that declare their own tolerance.
        seconds: Wall time from the start of the kernel to the end of the last cell.
        cpu_seconds: What the kernel computed in that time.
    """

    cells: int
    executed: int = 0
    compared: int = 0
    own: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def share(self) -> float:
        """Part of the code cells that was compared."""
        return self.compared / self.cells

    @property
    def cost(self) -> float:
        """Seconds that count: those of the wall clock, unless the kernel had to wait for a core."""
        return min(self.seconds, self.cpu_seconds)

    def add(self, *, compared: bool, own: bool, seconds: float, cpu_seconds: float) -> None:
        """Count one cell."""
        self.executed += 1
        self.compared += compared
        self.own += compared and own
        self.seconds = max(self.seconds, seconds)
        self.cpu_seconds = max(self.cpu_seconds, cpu_seconds)


def problems(chapters: dict[str, Chapter], allowance: float) -> list[str]:
    """Name each chapter that was not run whole, not compared enough, or too slow.

    Args:
        chapters: Records by path.
        allowance: Factor on the time limits, for a slower machine.
    """
    found = []
    for name, chapter in chapters.items():
        if chapter.executed < chapter.cells:
            found.append(f"{name}: only {chapter.executed} of {chapter.cells} cells were run")
        elif chapter.share < LEAST_SHARE:
            found.append(
                f"{name}: {chapter.compared} of {chapter.cells} code cells are compared, "
                f"{chapter.share:.0%}; at least {LEAST_SHARE:.0%} must be"
            )
        if chapter.cost > CHAPTER_SECONDS * allowance:
            found.append(
                f"{name}: took {chapter.cost:.0f} s; "
                f"the limit is {_limit(CHAPTER_SECONDS, allowance)}"
            )
    if chapters and median(chapters) > MEDIAN_SECONDS * allowance:
        found.append(
            f"half of the chapters took more than {median(chapters):.0f} s; "
            f"the limit is {_limit(MEDIAN_SECONDS, allowance)}"
        )
    return found


def _limit(seconds: int, allowance: float) -> str:
    return f"{seconds} s × {allowance:g} allowed for a slower machine"


def median(chapters: dict[str, Chapter]) -> float:
    """Median of the seconds that count."""
    return statistics.median(chapter.cost for chapter in chapters.values())


def table(chapters: dict[str, Chapter]) -> list[str]:
    """One line a chapter, and one for the sum."""
    width = max(len(name) for name in [*chapters, "all"])
    lines = [
        f"{'':<{width}}  cells  executed  compared  share  own tolerance  seconds  CPU seconds"
    ]
    total = Chapter(0)
    for name, chapter in sorted(chapters.items()):
        lines.append(_row(name, width, chapter))
        for count in ("cells", "executed", "compared", "own", "seconds", "cpu_seconds"):
            setattr(total, count, getattr(total, count) + getattr(chapter, count))
    return [*lines, _row("all", width, total), f"median {median(chapters):.1f} s a chapter"]


def _row(name: str, width: int, c: Chapter) -> str:
    return (
        f"{name:<{width}}  {c.cells:5d}  {c.executed:8d}  {c.compared:8d}  {c.share:5.0%}"
        f"  {c.own:13d}  {c.seconds:7.1f}  {c.cpu_seconds:11.1f}"
    )
