"""A race between processes: each candidate has one of its own, and a new one every few turns.

In one process candidates disturb each other: the memory that one gives back decides how many pages
the next must ask the system for, which is up to a twentieth of a training step. And a process has
luck of its own, with where its memory lies: two that do the same differ by some percent from their
first turn to their last. So everybody trains alone, as readers do, and starts anew now and then.
"""

import gc
import multiprocessing
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import TypeVar

import torch

from benchmarks.race import Candidate, clock

TURNS_A_LIFE = 2
WARM_UP = 2

T = TypeVar("T")
Work = Callable[[], object]
_work: list[Work] = []  # in a candidate's process: what it does


def race_apart(
    candidates: Sequence[Candidate], turns: int, *, also: Callable[[Work], T]
) -> tuple[dict[str, list[float]], dict[str, T], dict[str, str]]:
    """Let every candidate work once a turn; only one works at a time.

    Args:
        candidates: `run` of each makes its work, in its process, and returns what does it once;
            it can be pickled.
        turns: How often each works for the clock.
        also: What else to learn of the work, once and after the race; it can be pickled.

    Returns:
        By name: seconds of every turn; what `also` found; and of those that cannot take part, as a
        package or the compiler is missing, the reason.
    """
    threads = torch.get_num_threads()
    seconds: dict[str, list[float]] = {candidate.name: [] for candidate in candidates}
    found: dict[str, T] = {}
    left_out: dict[str, str] = {}
    for done in range(0, turns, TURNS_A_LIFE):
        with ExitStack() as stack:
            processes = {
                candidate.name: stack.enter_context(_process()) for candidate in candidates
            }
            ready = {
                candidate.name: processes[candidate.name].submit(_make, candidate.run, threads)
                for candidate in candidates
            }
            for name, made in ready.items():
                try:
                    made.result()
                except (ImportError, ValueError) as error:
                    left_out[name] = f"left out: {error}"
            racing = [name for name in processes if name not in left_out]
            for _ in range(min(TURNS_A_LIFE, turns - done)):
                for name in racing:
                    seconds[name].append(processes[name].submit(_learn, _seconds).result())
            if not done:
                found = {name: processes[name].submit(_learn, also).result() for name in racing}
        candidates = [*candidates[1:], candidates[0]]  # nobody is always the first
    return {name: seconds[name] for name in racing}, found, left_out


def _process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))


def _make(build: Callable[[], Work], threads: int) -> None:
    warnings.filterwarnings("ignore")  # the peers' own
    torch.set_num_threads(threads)
    torch.manual_seed(0)
    _work[:] = [build()]
    for _ in range(WARM_UP):
        _work[0]()


def _learn(measure: Callable[[Work], T]) -> T:
    return measure(_work[0])


def _seconds(work: Work) -> float:
    gc.collect()
    start = clock()
    work()
    return clock() - start
