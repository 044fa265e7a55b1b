"""Tests of benchmarks/: turns are taken, ratios are right, the table says what was found."""

import os
import re
from functools import partial
from operator import call

import pytest
import torch

from benchmarks import race as races
from benchmarks.apart import race_apart
from benchmarks.growth import _fused, _plain
from benchmarks.peers import GPT_SHAPE, installed, loss_of, transformers_gpt
from benchmarks.race import Candidate, Row, race, ratio, rows
from benchmarks.run import NAMES
from benchmarks.table import HEADER, conditions, render, version
from benchmarks.training import peak_bytes
from bigmodel_lib.models.gpt import GPT


@pytest.fixture
def fake_clock(monkeypatch):
    """A clock that only moves when a candidate says so."""
    now = [0.0]
    monkeypatch.setattr(races, "clock", lambda: now[0])
    return now


def test_candidates_take_turns_and_the_warm_up_does_not_count(fake_clock):
    order = []

    def work(name, *seconds):
        left = list(seconds)

        def run():
            order.append(name)
            fake_clock[0] += left.pop(0)

        return Candidate(name, run)

    found = race([work("a", 9, 1, 2), work("b", 9, 3, 4)], turns=2)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert found == {"a": [1, 2], "b": [3, 4]}


def test_apart_everybody_works_in_a_process_of_its_own():
    count = "lambda: [sum(range({})), __import__('os').getpid()][1]"  # a text can be pickled
    candidates = [
        Candidate("much", partial(eval, count.format(30_000_000))),
        Candidate("gone", partial(eval, "__import__('no_such_peer')")),
        Candidate("little", partial(eval, count.format(3_000_000))),
    ]
    seconds, processes, left_out = race_apart(candidates, turns=3, also=call)

    assert {name: len(times) for name, times in seconds.items()} == {"much": 3, "little": 3}
    assert ratio(seconds["little"], seconds["much"]) > 3
    assert len({os.getpid(), *processes.values()}) == 3
    assert left_out == {"gone": "left out: No module named 'no_such_peer'"}


def test_a_ratio_is_the_median_of_the_turns_not_of_the_times():
    """One slow turn for both, one for us alone: 2, 2 and 0.5 times as fast, so twice."""
    assert ratio([1, 10, 4], [2, 20, 2]) == 2


def test_rows_compare_with_the_fastest_peer_unless_told():
    candidates = [
        Candidate("slow", lambda: None, is_peer=True),
        Candidate("fast", lambda: None, is_peer=True),
        Candidate("ours", lambda: None),
    ]
    seconds = {"slow": [8.0] * 3, "fast": [4.0] * 3, "ours": [2.0] * 3}
    slow, fast, ours = rows("w", candidates, seconds, 16, "u", targets={"ours": 2.5})
    assert [slow.value, fast.value, ours.value] == [2, 4, 8]
    assert [slow.ratio, fast.ratio, ours.ratio] == [0.5, 1, 2]
    assert ours.reference == "fast"
    assert (slow.verdict, ours.verdict) == ("", "missed")

    *_, ours = rows("w", candidates, seconds, 16, "u", targets={"ours": 2.5}, reference="slow")
    assert (ours.ratio, ours.reference, ours.verdict) == (4, "slow", "met")


def test_the_table_shows_every_row_and_what_is_missing():
    lines = render(
        [
            Row("write", "ours", 1234.5, "token/s", 1.666, "theirs", 1.5, "a note"),
            Row("write", "theirs", None, "token/s", note="left out"),
        ]
    ).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert cells[0] == list(HEADER)
    assert cells[2] == [
        *("write", "ours", "1,234", "token/s", "1.67", "theirs", "≥ 1.5", "met", "a note")
    ]
    assert cells[3] == ["write", "theirs", "—", "token/s", "—", "", "", "", "left out"]


def test_conditions_name_versions_and_hardware():
    line = conditions()
    assert f"torch {torch.__version__}" in line
    assert re.search(r"\d+ \w+ cores \(", line)
    assert version("no-such-package-anywhere") is None


def test_a_peer_that_is_not_installed_is_named():
    def missing():
        raise ModuleNotFoundError("no such peer")

    models, left_out = installed({"here": lambda: torch.nn.Identity(), "gone": missing})
    assert list(models) == ["here"]
    assert left_out == ["gone"]


def test_every_benchmark_is_there():
    from importlib.util import find_spec

    assert all(find_spec(f"benchmarks.{name}") for name in NAMES)


@torch.no_grad()
def test_the_peer_has_our_weights():
    ours = GPT(GPT_SHAPE).eval()
    tokens = torch.randint(GPT_SHAPE.vocab_size, (1, 6))
    theirs = loss_of(transformers_gpt(ours).eval(), tokens)
    torch.testing.assert_close(loss_of(ours, tokens), theirs, rtol=1e-5, atol=1e-5)


def test_peak_memory_is_the_most_held_at_once():
    def run():
        first = torch.zeros(1 << 20)  # 4 MiB, given back at once
        del first
        kept = [torch.zeros(1 << 18) for _ in range(6)]  # 6 MiB
        del kept

    assert peak_bytes(run) == pytest.approx(6 << 20, rel=0.01)


def test_attention_memory_grows_with_the_length_or_with_its_square():
    fused, plain = (
        [peak_bytes(lambda n=n, run=run: run(n)) for n in (256, 512)] for run in (_fused, _plain)
    )
    assert fused[1] / fused[0] < 2.3
    assert plain[1] / plain[0] > 3
