"""Tests of bigmodel_lib/data/espeak.py, run as the process that it is."""

import json
import struct
import subprocess
import sys
import time
from pathlib import Path

from bigmodel_lib.data import espeak


def run(requests) -> subprocess.CompletedProcess:
    command = [sys.executable, str(Path(espeak.__file__))]
    return subprocess.run(command, input=json.dumps(requests).encode(), capture_output=True)


def test_every_request_is_answered_in_order():
    answer = run([["seven", "en-us", 160, 50], ["a much longer sentence", "de", 160, 50]])
    (first,) = struct.unpack_from("=I", answer.stdout)
    (second,) = struct.unpack_from("=I", answer.stdout, 4 + 2 * first)

    assert 0.2 * espeak.SAMPLE_RATE < first < second
    assert len(answer.stdout) == 8 + 2 * (first + second)


def test_the_same_request_gives_the_same_bytes():
    """Also for a voice that has noise in it; without a seed, the noise follows the clock."""
    requests = [["seven", "en-us+whisper", 160, 50], ["seven", "en-us+f3", 160, 50]]
    first = run(requests).stdout
    time.sleep(1.1)
    assert run(requests).stdout == first


def test_a_voice_that_is_not_there_is_named():
    answer = run([["seven", "nowhere", 160, 50]])
    assert answer.returncode == 1
    assert answer.stderr.decode().strip() == "eSpeak NG has no voice 'nowhere'"
