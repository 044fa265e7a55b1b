"""Who loads what: importing the package loads no framework, and each side loads only its own."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for path in (ROOT / "bigmodel_lib").rglob("*.py")
    if path.name != "__init__.py"
)
TWINS = [module for module in MODULES if module.startswith("bigmodel_lib.tf.")]
FREE = ("bigmodel_lib.configs.", "bigmodel_lib.data.", "bigmodel_lib.viz.", "bigmodel_lib.profile")


def loaded_by(modules: list[str]) -> set[str]:
    """Top-level packages that a fresh Python has loaded after importing `modules`."""
    code = (
        f"import sys, {', '.join(modules)}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert answer.returncode == 0, answer.stderr
    return set(answer.stdout.split())


def test_the_package_loads_nothing_but_itself():
    before, after = loaded_by(["os"]), loaded_by(["bigmodel_lib"])
    assert after - before == {"bigmodel_lib"}


def test_configs_data_pictures_and_profile_load_no_framework():
    modules = [module for module in MODULES if module.startswith(FREE)]
    assert modules
    assert not loaded_by(modules) & {"torch", "tensorflow", "keras", "transformers"}


def test_the_pytorch_side_never_loads_tensorflow():
    modules = [module for module in MODULES if module not in TWINS]
    loaded = loaded_by(modules)
    assert "torch" in loaded
    assert not loaded & {"tensorflow", "keras"}


def test_the_twins_never_load_pytorch():
    loaded = loaded_by(TWINS)
    assert "keras" in loaded
    assert "torch" not in loaded
