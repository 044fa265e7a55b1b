"""Every TensorFlow twin says what its PyTorch original says; read with `ast`, nothing imported."""

import ast
import re
from pathlib import Path

import pytest

LIB = Path(__file__).parents[1] / "bigmodel_lib"
TWINS = sorted(
    path.relative_to(LIB / "tf")
    for path in LIB.joinpath("tf").rglob("*.py")
    if path.name != "__init__.py"
)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public(path: Path) -> dict[str, ast.AST]:
    """Public classes, functions and methods of a file, and the module itself as ""."""
    module = ast.parse(path.read_text("utf-8"))
    found = {"": module}
    for node in module.body:
        if isinstance(node, ast.ClassDef | Function) and not node.name.startswith("_"):
            found[node.name] = node
        if isinstance(node, ast.ClassDef):
            methods = [n for n in node.body if isinstance(n, Function)]
            for method in methods:
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
    """The first line of a docstring and its sections; what is between may differ."""
    doc = ast.get_docstring(node) or ""
    sections = re.search(r"^(Args|Returns|Raises):.*", doc, re.MULTILINE | re.DOTALL)
    first = doc.split("\n")[0].replace("TensorFlow", "PyTorch")
    return first + (sections[0] if sections else "")


def test_there_are_twins():
    assert Path("models/mlp.py") in TWINS


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_twin_has_the_same_names_arguments_and_words(twin):
    original, mirrored = public(LIB / twin), public(LIB / "tf" / twin)

    assert list(mirrored) == list(original)
    for name, node in mirrored.items():
        if isinstance(node, Function):
            assert arguments(node) == arguments(original[name]), name
        if name:
            assert contract(node) == contract(original[name]), name


@pytest.mark.parametrize("twin", TWINS, ids=str)
def test_cards_name_each_other(twin):
    cards = {path: ast.get_docstring(public(LIB / path)[""]) for path in (twin, "tf" / twin)}

    assert f"bigmodel_lib/{twin.as_posix()}" in cards["tf" / twin]
    assert f"bigmodel_lib/tf/{twin.as_posix()}" in cards[twin], (
        f'add "Twin:    bigmodel_lib/tf/{twin.as_posix()}" to the card of bigmodel_lib/{twin}'
    )
