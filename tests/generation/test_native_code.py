"""Tests of bigmodel_lib/generation/native_code.py."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
import torch

from bigmodel_lib.configs import gpt
from bigmodel_lib.generation import native_code
from bigmodel_lib.generation.native import NativeDecoder
from bigmodel_lib.models.gpt import GPT

try:
    COMPILER = native_code.find_compiler()
except ValueError as error:
    pytest.skip(str(error), allow_module_level=True)


@pytest.fixture
def answer(tmp_path: Path) -> Path:
    """A library that holds one number."""
    path = tmp_path / "answer.cpp"
    path.write_text('extern "C" int answer() { return ANSWER; }')
    return path


@pytest.fixture
def compiler_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Let the compiler refuse a flag, and note what it is asked."""

    def make(flag: str) -> Path:
        script, notes = tmp_path / "compiler", tmp_path / "notes"
        real = shutil.which(COMPILER[0])
        script.write_text(
            f'#!/bin/sh\necho "$*" >>{notes}\n'
            f'case " $* " in *" {flag} "*) echo "unknown {flag}" >&2; exit 1;; esac\n'
            f'exec {real} "$@"\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("CXX", str(script))
        return notes

    return make


def test_the_compiler_of_the_environment_is_asked(answer, tmp_path, monkeypatch):
    """With its arguments."""
    monkeypatch.setenv("CXX", f"{COMPILER[0]} -DANSWER=42")
    assert native_code.compiled(answer, tmp_path).answer() == 42


def test_without_a_compiler(monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler -O2")
    with pytest.raises(ValueError, match=r"needs a C\+\+ compiler, and 'no-such-compiler' is not"):
        native_code.find_compiler()
    monkeypatch.delenv("CXX")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ValueError, match=r"'c\+\+', 'g\+\+', 'clang\+\+' is not found: install"):
        native_code.find_compiler()


def test_what_the_compiler_says_is_told(answer, tmp_path):
    """ANSWER is defined nowhere."""
    with pytest.raises(ValueError, match=r"(?s)compiler '.*' made nothing that .*: .*ANSWER.* CXX"):
        native_code.compiled(answer, tmp_path)


@pytest.mark.parametrize("flag", ["-mprefer-vector-width=512", "-fopenmp", "-march=native"])
def test_a_compiler_that_knows_less_will_do(flag, compiler_without, monkeypatch):
    """The result stays; asked is what is known besides."""
    model, tokens = GPT(gpt.TINY), torch.randint(65, (2, 6))
    expected = NativeDecoder(model)(tokens)
    notes = compiler_without(flag)
    code = native_code.load.__wrapped__()
    monkeypatch.setattr(native_code, "load", lambda: code)
    torch.testing.assert_close(NativeDecoder(model)(tokens), expected, rtol=1e-5, atol=1e-5)
    last = notes.read_text().splitlines()[-1].split()
    assert flag not in last
    assert ("-fopenmp" in last) == (flag == "-mprefer-vector-width=512")


def test_nothing_stays_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    native_code.load.__wrapped__()
    assert not list(tmp_path.iterdir())


def test_it_is_compiled_once():
    assert native_code.load() is native_code.load()


def test_what_cannot_be_loaded_is_made_again_with_less(tmp_path):
    """With OpenMP it needs a function that nobody has; without, it does not."""
    source = tmp_path / "needy.cpp"
    source.write_text(
        "extern int nobody();\n#ifdef _OPENMP\nint one = nobody();\n#endif\n"
        'extern "C" int answer() { return 42; }'
    )
    assert native_code.compiled(source, tmp_path).answer() == 42


def test_why_nothing_can_be_loaded_is_told(tmp_path):
    source = tmp_path / "needy.cpp"
    source.write_text("extern int nobody();\nint one = nobody();")
    with pytest.raises(ValueError, match=r"(?s)nobody.*may be run in TMPDIR"):
        native_code.compiled(source, tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_threads_are_those_that_pytorch_has():
    """No second library of threads joins the process, which would fight over the same cores."""

    def thread_libraries() -> set[str]:
        lines = Path("/proc/self/maps").read_text().splitlines()
        names = {line.split()[-1] for line in lines if "/" in line}
        return {
            name for name in names if Path(name).name.startswith(("libgomp", "libomp", "libiomp"))
        }

    torch.ones(9).sum()
    before = thread_libraries()
    native_code.load.__wrapped__()
    assert before
    assert thread_libraries() == before
