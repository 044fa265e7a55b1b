"""What is declared, what is pinned, what conda users get and what is installed agree."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from tools import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = ("tf", "book", "dev")
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]


def pins(name: str) -> dict[str, Version]:
    """Packages and versions of a constraints file, whose every line must be an exact pin."""
    found = {}
    for line in (ROOT / name).read_text().splitlines():
        if text := line.partition("#")[0].strip():
            pin = Requirement(text)
            (exact,) = pin.specifier
            assert exact.operator == "==", line
            package = canonicalize_name(pin.name)
            assert package not in found, f"{package} is pinned twice"
            found[package] = Version(exact.version)
    return found


def declared(*extras: str) -> dict[str, Requirement]:
    """What pyproject.toml asks for, with some extras."""
    lines = [*PROJECT["dependencies"]]
    for extra in extras:
        lines += PROJECT["optional-dependencies"][extra]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


PINNED = pins("constraints.txt")


@pytest.mark.parametrize("name", declared(*EXTRAS))
def test_what_is_declared_is_pinned_to_a_version_it_allows(name):
    assert name in PINNED, "run `make lock`"
    assert declared(*EXTRAS)[name].specifier.contains(PINNED[name])


def test_what_is_held_on_purpose_is_what_is_pinned():
    held = pins("constraints.in")
    assert held
    assert {name: PINNED.get(name) for name in held} == held


def test_pins_name_no_machine_s_own_build():
    assert not [name for name, version in PINNED.items() if version.local]


def test_conda_users_get_the_same_extras_and_the_same_pins():
    (by_pip,) = [entry["pip"] for entry in CONDA if isinstance(entry, dict)]
    options = dict(line.split(maxsplit=1) for line in by_pip)
    editable = options.get("--editable") or options["-e"]

    assert set(options) <= {"--editable", "-e", "--constraint", "-c"}
    assert (options.get("--constraint") or options["-c"]) == "constraints.txt"
    assert re.fullmatch(r"\.\[(.*)\]", editable)[1].split(",") == list(EXTRAS)
    assert environment.EXTRAS.split(",") == list(EXTRAS)


def test_conda_users_get_the_same_python():
    (python,) = [e for e in CONDA if isinstance(e, str) and e.startswith("python=")]
    version = python.removeprefix("python=")

    assert version == ".".join(map(str, environment.RECORDED))
    assert Version(version) in Requirement(f"x{PROJECT['requires-python']}").specifier
    assert {e for e in CONDA if isinstance(e, str)} == {python, "pip", "make"}


@pytest.mark.parametrize("name", declared(*EXTRAS))
def test_what_is_installed_is_what_is_pinned(name):
    installed = Version(importlib.metadata.version(name))
    assert installed.public == PINNED[name].public, "run `make setup`"


def imported(folder: str) -> set[str]:
    """Top-level modules that a folder's files import, other than the standard library's."""
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                found.add(node.module.split(".")[0])
    return found - sys.stdlib_module_names - {"bigmodel_lib", "tools", "tests", "benchmarks"}


def unaccounted(folder: str, packages: set[str]) -> set[str]:
    """Modules that a folder imports and that none of the packages brings."""
    names = importlib.metadata.packages_distributions()
    return {
        module
        for module in imported(folder)
        if not {canonicalize_name(name) for name in names.get(module, [])} & packages
    }


def required_by(packages: set[str]) -> set[str]:
    """What packages require without any extra."""
    lines = [line for name in packages for line in importlib.metadata.requires(name) or []]
    return {canonicalize_name(Requirement(line).name) for line in lines if "extra ==" not in line}


def test_what_the_library_imports_is_declared():
    """Or required by what is declared; not merely there because a tool brings it."""
    asked = set(declared("tf"))
    assert not unaccounted("bigmodel_lib", asked | required_by(asked))


@pytest.mark.parametrize("folder", ["tools", "tests"])
def test_what_the_tools_and_tests_import_is_pinned(folder):
    assert not unaccounted(folder, set(PINNED))
