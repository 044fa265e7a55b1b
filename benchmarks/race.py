"""Timing that survives a busy machine: all candidates take turns, ratios are made turn by turn.

Candidates run A, B, C, A, B, C, …, so that a slow minute slows them all. The ratio of two is the
median over the turns of the ratio of their times in that turn. With one thread the clock counts
the process's own processor time, which leaves out the moments when other processes ran.
"""

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

import torch


@dataclass(frozen=True)
class Candidate:
    """One way to do a piece of work.

    Attributes:
        name: What the table calls it.
        run: Does the work once.
        is_peer: Whether it is somebody else's, that is, something to be held against.
    """

    name: str
    run: Callable[[], object]
    is_peer: bool = False


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        work: What was done.
        name: By whom.
        value: Amount of work per second, or a size; None if it was not measured.
        unit: Unit of the value.
        ratio: Against the reference; above 1 is better than it.
        reference: Name of the reference, a peer.
        target: Ratio to reach; None for peers and for rows without a target.
        note: What else there is to say.
    """

    work: str
    name: str
    value: float | None
    unit: str
    ratio: float | None = None
    reference: str = ""
    target: float | None = None
    note: str = ""

    @property
    def verdict(self) -> str:
        """Whether the target is met, in a word; empty if there is none."""
        if self.target is None or self.ratio is None:
            return ""
        return "met" if self.ratio >= self.target else "missed"


def clock() -> float:
    """Seconds: of this process's processor time if there is one thread, of the wall if more."""
    return time.process_time() if torch.get_num_threads() == 1 else time.perf_counter()


def race(
    candidates: Sequence[Candidate], turns: int, *, warm_up: int = 1
) -> dict[str, list[float]]:
    """Let every candidate run once a turn, after `warm_up` turns that do not count.

    Returns:
        Seconds of every turn, by name.
    """
    seconds: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    for turn in range(warm_up + turns):
        for candidate in candidates:
            gc.collect()
            start = clock()
            candidate.run()
            if turn >= warm_up:
                seconds[candidate.name].append(clock() - start)
    return seconds


def ratio(seconds: Sequence[float], reference: Sequence[float]) -> float:
    """How many times faster than the reference: the median of the ratios turn by turn."""
    return median(r / s for s, r in zip(seconds, reference, strict=True))


def rows(
    work: str,
    candidates: Sequence[Candidate],
    seconds: dict[str, list[float]],
    amount: float,
    unit: str,
    *,
    targets: dict[str, float] | None = None,
    reference: str | None = None,
) -> list[Row]:
    """Turn times into lines of the table.

    Args:
        work: What was done.
        candidates: Who did it.
        seconds: What `race` returned.
        amount: How much work one turn is.
        unit: Unit of work per second.
        targets: Ratio that a candidate should reach, by name.
        reference: Whom to compare with; None for the fastest peer.
    """
    if reference is None:
        peers = [candidate.name for candidate in candidates if candidate.is_peer]
        reference = min(peers, key=lambda name: median(seconds[name]))
    return [
        Row(
            work,
            candidate.name,
            amount / median(seconds[candidate.name]),
            unit,
            ratio(seconds[candidate.name], seconds[reference]),
            reference,
            (targets or {}).get(candidate.name),
        )
        for candidate in candidates
    ]
