"""Every module has its TensorFlow twin, which says what the original says, or a reason not to.

The files are read with `ast`; nothing of a framework is imported here.
"""

import ast
import re
from pathlib import Path

import pytest

from tests.test_imports import loaded_by

LIB = Path(__file__).parents[1] / "bigmodel_lib"
AREAS = ("layers", "models", "training", "generation", "weights")  # data needs no framework
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(root: Path) -> set[str]:
    """Paths below `root` of all modules of the areas."""
    paths = (path for area in AREAS for path in (root / area).rglob("*.py"))
    return {path.relative_to(root).as_posix() for path in paths if path.name != "__init__.py"}


ORIGINALS, MIRRORED = modules(LIB), modules(LIB / "tf")
TWINS = sorted(ORIGINALS & MIRRORED)

SHARED = {  # need no framework: both sides use the same file
    "training/autograd.py",
    "training/run_log.py",
    "weights/bert.py",
    "weights/checks.py",
    "weights/container.py",
    "weights/folders.py",
    "weights/formats.py",
    "weights/gpt.py",
    "weights/links.py",
    "weights/llama.py",
    "weights/resnet.py",
    "weights/sources.py",
    "weights/vit.py",
}
WITHOUT_TWIN = {
    "models/compiling.py": "PyTorch's compiler; TensorFlow compiles what `tf.function` wraps",
    "layers/fast_gelu.py": "another equation of the same curve, for PyTorch's compiler",
    "layers/short_attention.py": "a choice between two of PyTorch's kernels on a CPU",
    "training/chunked_loss.py": "a backward pass by PyTorch's autograd, to save memory",
    "training/distributed.py": "torch.distributed: DDP and FSDP2 under torchrun",
    "training/pretrain.py": "one command line, in PyTorch, for torchrun and its processes",
    "training/pretraining.py": "a run of that command line",
    "training/sharded_checkpoints.py": "torch.distributed.checkpoint, for models in shards",
    "training/token_files.py": "what that command line keeps of its text",
    "generation/native.py": "machine code for a CPU; `tf.function` makes its own",
    "generation/native_code.py": "how native.cpp is compiled and what it takes",
    "generation/one_token.py": "a packed decoder's step, see packed.py",
    "generation/packed.py": "weights laid out for kernels of PyTorch, to write faster on a CPU",
    "generation/packing.py": "the layouts and number formats of packed.py",
}
WITHOUT_ORIGINAL = {
    "generation/cached_graphs.py": "PyTorch runs step by step as fast",
    "layers/fused_gelu.py": "PyTorch has a kernel for it",
    "layers/recurrent_steps.py": "PyTorch has kernels that run a whole sequence",
    "layers/sequential.py": "PyTorch brings it",
    "layers/saving.py": "what Keras asks of a model that is saved; PyTorch saves weights only",
    "weights/names.py": "PyTorch names parameters by itself",
}
OTHERWISE = {  # of a twin, what only one side has
    "generation/cache.py": {
        "KeyValueStore.grow": "a shortcut for PyTorch's packed decoders",
        "KeyValueStore.make_room": "the same, for native ones too",
    },
    "generation/sampling.py": {
        "evaluating": "Keras has no mode to switch: dropout sleeps unless it is told `training`"
    },
    "layers/embeddings.py": {"TokenEmbedding.reset_parameters": "PyTorch's own hook"},
    "training/optimizers.py": {
        "SGD.step": "Keras's optimizers have `apply`, which calls `update_step` per variable",
        "Adam.step": "as for SGD",
    },
}
# What Keras calls, and PyTorch has no counterpart for.
HOOKS = {"build", "get_config", "from_config", "update_step", "compute_output_shape"}


def public(path: Path) -> dict[str, ast.AST]:
    """Public classes, functions and methods of a file, and the module itself as ""."""
    module = ast.parse(path.read_text("utf-8"))
    found: dict[str, ast.AST] = {"": module}
    for node in module.body:
        if not isinstance(node, ast.ClassDef | Function) or node.name.startswith("_"):
            continue
        found[node.name] = node
        methods = [n for n in node.body if isinstance(n, Function) and n.name not in HOOKS]
        for method in methods if isinstance(node, ast.ClassDef) else ():
            name = "forward" if method.name == "call" else method.name
            if name == "__init__" or not name.startswith("_"):
                found[f"{node.name}.{name}"] = method
    return found


def arguments(node: Function) -> list[str]:
    """Names in order; `training` is Keras's own way to say what PyTorch keeps as a mode."""
    args = node.args
    names = [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]
    return [name for name in names if name != "training"]


def contract(node: ast.AST) -> str:
    """The first line of a docstring, and what goes in and out; the rest may differ."""
    doc = ast.get_docstring(node) or ""
    doc = re.sub(r"^Attributes:\n(?: .*\n?|\n)*", "", doc, flags=re.MULTILINE)
    sections = re.search(r"^(Args|Returns|Raises):.*", doc, re.MULTILINE | re.DOTALL)
    first = doc.split("\n")[0].replace("TensorFlow", "PyTorch")
    return first + (sections[0] if sections else "")


def test_there_are_twins():
    assert "models/mlp.py" in TWINS
    assert len(TWINS) > len(SHARED | WITHOUT_TWIN.keys() | WITHOUT_ORIGINAL.keys())


def test_nothing_on_one_side_lacks_its_twin_and_no_exception_is_stale():
    alone, new = ORIGINALS - MIRRORED, MIRRORED - ORIGINALS
    assert alone == SHARED | WITHOUT_TWIN.keys()
    assert new == set(WITHOUT_ORIGINAL)
    assert not SHARED & WITHOUT_TWIN.keys()


def test_what_is_shared_loads_no_framework():
    names = ["bigmodel_lib." + path.removesuffix(".py").replace("/", ".") for path in SHARED]
    assert not loaded_by(names) & {"torch", "tensorflow", "keras"}


@pytest.mark.parametrize("twin", TWINS)
def test_twin_has_the_same_names_arguments_and_words(twin):
    original, mirrored = public(LIB / twin), public(LIB / "tf" / twin)
    otherwise = OTHERWISE.get(twin, {}).keys()

    assert otherwise <= original.keys() ^ mirrored.keys(), "an exception that is not needed"
    names = [name for name in mirrored if name not in otherwise]
    assert names == [name for name in original if name not in otherwise]
    for name in names:
        node = mirrored[name]
        if isinstance(node, Function):
            assert arguments(node) == arguments(original[name]), name
        if name:
            assert contract(node) == contract(original[name]), name


@pytest.mark.parametrize("twin", TWINS)
def test_cards_name_each_other(twin):
    cards = {path: ast.get_docstring(public(LIB / path)[""]) for path in (twin, f"tf/{twin}")}

    assert f"bigmodel_lib/{twin}" in cards[f"tf/{twin}"]
    assert f"bigmodel_lib/tf/{twin}" in cards[twin], (
        f'add "Twin:    bigmodel_lib/tf/{twin}" to the card of bigmodel_lib/{twin}'
    )
