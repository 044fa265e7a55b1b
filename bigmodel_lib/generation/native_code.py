"""Machine code for `native.cpp`, made by this machine's C++ compiler, and the records it takes.

The compiler runs once in a process, for a second or two, and leaves no file behind. With g++ the
threads are PyTorch's own: the library for threads (OpenMP) that ours asks for is already loaded.
"""

import ctypes
import functools
import os
import shlex
import shutil
import subprocess
from ctypes import c_float, c_int, c_int64, c_void_p
from pathlib import Path
from tempfile import TemporaryDirectory

SOURCE = Path(__file__).with_name("native.cpp")
PLAIN = ("-std=c++17", "-O3", "-fno-math-errno", "-shared", "-fPIC")
# Not every compiler knows all of these, or has what they need: the first list that works is taken.
FASTER = (
    ("-march=native", "-mprefer-vector-width=512", "-fopenmp"),
    ("-march=native", "-fopenmp"),
    ("-march=native",),
    (),
)
BLOCK = 64  # as in native.cpp


class Matrix(ctypes.Structure):
    """Where the weights of a product are; null where there is nothing."""

    _fields_ = [
        ("weights", c_void_p),
        ("scale", c_void_p),
        ("bias", c_void_p),
        ("n_out", c_int64),
        ("n_in", c_int64),
    ]


class Norm(ctypes.Structure):
    """A layer norm, or without a bias an RMS norm."""

    _fields_ = [("weight", c_void_p), ("bias", c_void_p), ("eps", c_float)]


class Block(ctypes.Structure):
    """One layer of a decoder."""

    _fields_ = [
        ("norm_attn", Norm),
        ("to_qkv", Matrix),
        ("to_out", Matrix),
        ("norm_ff", Norm),
        ("up", Matrix),
        ("down", Matrix),
    ]


class Decoder(ctypes.Structure):
    """A whole GPT or Llama."""

    _fields_ = [
        ("format", c_int64),
        ("n_layers", c_int64),
        ("n_heads", c_int64),
        ("n_kv_heads", c_int64),
        ("d_head", c_int64),
        ("positions", c_void_p),
        ("angles", c_void_p),
        ("blocks", ctypes.POINTER(Block)),
        ("norm", Norm),
        ("to_logits", Matrix),
    ]


class Cache(ctypes.Structure):
    """Keys and values of all layers, and how many positions they have and hold."""

    _fields_ = [
        ("keys", c_void_p),
        ("values", c_void_p),
        ("max_len", c_int64),
        ("n_before", c_int64),
    ]


@functools.cache
def load() -> ctypes.CDLL:
    """Compile `native.cpp`, if this process has not done so yet, and load it.

    Raises:
        ValueError: If there is no C++ compiler, or it fails.
    """
    with TemporaryDirectory(prefix="native-", ignore_cleanup_errors=True) as folder:
        code = compiled(SOURCE, Path(folder))
    vectors = [ctypes.POINTER(Decoder), c_void_p]
    code.read_tokens.argtypes = [*vectors, c_int64, c_int64, ctypes.POINTER(Cache), c_int]
    code.score.argtypes = [*vectors, c_int64, c_void_p, c_int]
    code.read_tokens.restype = code.score.restype = None
    return code


def compiled(source: Path, folder: Path) -> ctypes.CDLL:
    """Compile a file of C++ into a library in a folder, and load it.

    Raises:
        ValueError: If there is no C++ compiler, or if it fails, or makes what cannot be loaded,
            whatever it is asked; with what was said last.
    """
    compiler, library = find_compiler(), folder / "native.so"
    message = ""
    for flags in FASTER:
        command = [*compiler, *PLAIN, *flags, str(source), "-o", str(library)]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        message = answer.stderr.strip()[-2000:]
        if answer.returncode == 0:
            try:
                return ctypes.CDLL(str(library))
            except OSError as error:
                message = str(error)
    raise ValueError(
        f"the C++ compiler {shlex.join(compiler)!r} made nothing that can be loaded: {message}\n"
        "Name another in the environment variable CXX, or a folder whose files may be run in "
        "TMPDIR, or use PackedDecoder."
    )


def find_compiler() -> list[str]:
    """The command of the C++ compiler: what the environment variable CXX says, else the usual.

    Raises:
        ValueError: If there is none.
    """
    wanted = shlex.split(os.environ.get("CXX", ""))
    candidates = [wanted] if wanted else [["c++"], ["g++"], ["clang++"]]
    for command in candidates:
        if shutil.which(command[0]):
            return command
    names = ", ".join(repr(command[0]) for command in candidates)
    raise ValueError(
        f"a native decoder needs a C++ compiler, and {names} is not found: install g++ or clang++, "
        "name another in the environment variable CXX, or use PackedDecoder"
    )
