"""Make the environment in .venv, and refresh the pinned versions. Standard library only.

python tools/environment.py setup   what `make setup` runs: create .venv, install what is pinned
python tools/environment.py lock    what `make lock` runs: resolve again, rewrite constraints.txt
"""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PIP = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
STAMP = VENV / ".installed"
EXTRAS = "tf,book,dev"
OLDEST, NEWEST, RECORDED = (3, 11), (3, 13), (3, 11)
FREE_GB = 8


def stop(message: str) -> None:
    """End with a message that says what is missing and what to do."""
    sys.exit(f"\nset-up stopped: {message}\n")


def check_python() -> None:
    """Refuse a Python for which the pinned packages do not exist."""
    version = sys.version_info[:2]
    if not OLDEST <= version <= NEWEST:
        stop(
            f"this is Python {version[0]}.{version[1]}; the pinned packages need 3.11 to 3.13.\n"
            "Install one and name it:  make book PYTHON=python3.11"
        )


def check_machine() -> None:
    """Refuse before anything is written when this machine cannot hold the environment."""
    version = ".".join(map(str, sys.version_info[:2]))
    if not (importlib.util.find_spec("venv") and importlib.util.find_spec("ensurepip")):
        stop(
            "this Python has no venv module.\n"
            f"On Debian or Ubuntu:  apt-get install python{version}-venv"
        )
    free = shutil.disk_usage(ROOT).free / 1e9
    if not VENV.exists() and free < FREE_GB:
        stop(f"the environment needs about {FREE_GB} GB of disk, {free:.1f} GB are free here.")
    if sys.version_info[:2] != RECORDED:
        print(
            "note: the stored outputs were recorded with Python 3.11; "
            f"this is {version}, so a number may differ."
        )


def fingerprint() -> str:
    """What the environment was made from; a change means that set-up runs again."""
    import tomllib  # not there before Python 3.11, which check_python has refused by now

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    text = repr(project) + (ROOT / "constraints.txt").read_text() + sys.version
    return hashlib.sha256(text.encode()).hexdigest()


def made_by_this_python() -> bool:
    """Whether .venv, if there is one, holds packages for this version of Python."""
    major, minor = sys.version_info[:2]
    return (VENV / "lib" / f"python{major}.{minor}").exists()


def pip(*arguments: str) -> None:
    """Run the environment's pip with the pinned versions; explain a failure."""
    command = [*PIP, "install", "--quiet", "--constraint", "constraints.txt", *arguments]
    if subprocess.run(command, cwd=ROOT).returncode:
        stop(
            "pip could not install the packages (its own words are above).\n"
            "Set-up needs the network once. When it is back, run the same command again:\n"
            "it goes on where it stopped."
        )


def setup() -> None:
    """Create .venv and install the pinned packages, unless that has been done."""
    check_python()
    if STAMP.exists() and STAMP.read_text() == fingerprint():
        return
    check_machine()
    # Repairs a half-made environment, and replaces one that another Python made.
    fresh = [] if made_by_this_python() else ["--clear"]
    subprocess.run([sys.executable, "-m", "venv", *fresh, str(VENV)], check=True)
    print("Installing the pinned packages into .venv (about 4 GB, once) ...", flush=True)
    STAMP.unlink(missing_ok=True)
    pin = re.search(r"^torch==\S+", (ROOT / "constraints.txt").read_text(), re.M)
    if pin is None:
        stop("constraints.txt names no version of torch; run `make lock`.")
    pip("--upgrade", "pip")  # an old one cannot read the metadata of new packages
    pip(pin.group())  # first and alone, so that no other package chooses the build
    pip("--editable", f".[{EXTRAS}]")
    STAMP.write_text(fingerprint())


def lock() -> None:
    """Resolve the newest versions that go with constraints.in and write constraints.txt."""
    resolved = ROOT / "_build" / "constraints.resolved.txt"
    resolved.parent.mkdir(exist_ok=True)
    extras = [f"--extra={extra}" for extra in EXTRAS.split(",")]
    quiet = ["--quiet", "--upgrade", "--strip-extras", "--no-header", "--no-annotate"]
    quiet.append("--allow-unsafe")  # pip and setuptools are pinned like the rest
    no_addresses = ["--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host"]
    files = ["--constraint=constraints.in", f"--output-file={resolved}", "pyproject.toml"]
    pip_compile = str(VENV / "bin" / "pip-compile")
    subprocess.run([pip_compile, *quiet, *no_addresses, *extras, *files], cwd=ROOT, check=True)
    pins = [line for line in resolved.read_text().splitlines() if re.match(r"[\w.-]+==", line)]
    head = "# Exact versions of everything the book runs on. Written by `make lock`; do not edit.\n"
    # A local version such as 2.13.0+cpu names one build; the pin leaves the build to the machine.
    text = head + "".join(re.sub(r"\+\w+", "", pin) + "\n" for pin in pins)
    (ROOT / "constraints.txt").write_text(text)
    print(
        f"constraints.txt: {len(pins)} packages pinned. `make test` says whether they go together."
    )


if __name__ == "__main__":
    commands = {"setup": setup, "lock": lock}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    commands[sys.argv[1]]()
