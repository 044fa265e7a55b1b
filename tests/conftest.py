"""Every test starts from the same seed; PyTorch and TensorFlow never share a process."""

import sys
from pathlib import Path

import pytest

TF_TESTS = Path(__file__).parent / "tf"


@pytest.fixture(autouse=True)
def _seed() -> None:
    if "torch" in sys.modules:  # a test that needs it has imported it by now
        sys.modules["torch"].manual_seed(0)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave the twins' tests to a run of their own."""
    return True if collection_path == TF_TESTS and not _names_twins(config) else None


def pytest_report_header(config: pytest.Config) -> str | None:
    return None if _names_twins(config) else "tests/tf runs in its own process: pytest tests/tf"


def _names_twins(config: pytest.Config) -> bool:
    paths = (Path(config.invocation_params.dir, arg.split("::")[0]) for arg in config.args)
    return any(TF_TESTS in (path.resolve(), *path.resolve().parents) for path in paths)
