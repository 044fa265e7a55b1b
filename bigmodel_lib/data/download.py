"""Files from the network that are known by size and SHA-256, or not kept at all.

A file appears under its name only when it is whole and right: it is received in a folder of its
own, checked, and renamed. What a killed run leaves behind is in that folder, is never read, and
is removed by a later run. A file that was altered on the disk is noticed and fetched again.
"""

import os
import shutil
import tarfile
import time
import zipfile
import zlib
from dataclasses import dataclass
from functools import partial
from gzip import BadGzipFile
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import pooch

_PART = ".part-"
_DAY = 24 * 60 * 60
_BYTES_PER_SECOND = 10_000  # a server slower than this has stalled
_TRY_AGAIN = {429, 500, 502, 503, 504}
_DAMAGE = (tarfile.TarError, zipfile.BadZipFile, BadGzipFile, LZMAError, zlib.error, EOFError)


class DownloadError(OSError):
    """A file could not be had; the message says which, what was expected and what came."""


class _PassingError(DownloadError):
    """A fault that may be gone the next time: an overloaded server, a broken connection."""


@dataclass(frozen=True, kw_only=True)
class Remote:
    """A file on the network.

    Attributes:
        url: Where it is; the last part of the path is its name.
        size: Number of bytes.
        sha256: Its SHA-256, in hexadecimal digits.
    """

    url: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """The file's name on the disk."""
        return PurePosixPath(self.url.partition("?")[0]).name


def data_folder() -> Path:
    """Where downloads are kept: `BIGMODEL_DATA`, else the user's cache."""
    return Path(os.environ.get("BIGMODEL_DATA") or pooch.os_cache("bigmodel"))


def download(
    remote: Remote,
    folder: Path | None = None,
    *,
    timeout: float = 30.0,
    attempts: int = 4,
    wait: float = 1.0,
) -> Path:
    """Return the path of the file, fetching it if it is not there or not right.

    Args:
        remote: What to fetch.
        folder: Where to keep it; None is `data_folder()`.
        timeout: Seconds without an answer after which a server counts as gone.
        attempts: How often to try while the fault may pass: no connection, a broken one, or
            status 429, 500, 502, 503 and 504.
        wait: Seconds before the second attempt, doubled before each further one.

    Raises:
        DownloadError: If there is no such file, or it is not the expected one. Nothing is kept.
    """
    folder = data_folder() if folder is None else folder
    path = folder / remote.name
    if path.is_file() and path.stat().st_size == remote.size and _digest(path) == remote.sha256:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    _sweep(folder)
    for attempt in range(1, attempts + 1):
        try:
            return _receive(remote, path, timeout)
        except _PassingError as error:
            if attempt == attempts:
                raise DownloadError(f"{error} (tried {attempts} times)") from error
        time.sleep(wait * 2 ** (attempt - 1))
    raise ValueError(f"attempts must be at least 1, got {attempts}")


def extract(archive: Path, folder: Path) -> Path:
    """Unpack a zip or tar archive into a new folder, whole or not at all.

    Args:
        archive: A .zip, .tar, .tar.gz, .tar.bz2 or .tar.xz file.
        folder: The folder to create.

    Raises:
        FileExistsError: If the folder is there already and not empty.
        ValueError: If the file is no archive or a damaged one, or one of its members would be
            written outside the folder, is a link, a device or anything but a file or a folder.
    """
    if folder.is_dir() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} exists and is not empty")
    folder.parent.mkdir(parents=True, exist_ok=True)
    _sweep(folder.parent)
    with TemporaryDirectory(dir=folder.parent, prefix=_PART) as part:
        inside = Path(part, folder.name)
        inside.mkdir()
        try:
            _unpack(archive, inside)
        except _DAMAGE as error:
            raise ValueError(f"{archive} is damaged: {error}") from error
        inside.replace(folder)
    return folder


def _receive(remote: Remote, path: Path, timeout: float) -> Path:
    """Fetch into a folder beside `path`, check there, and rename."""
    pooch.get_logger().setLevel("WARNING")
    fetch = partial(_fetch, size=remote.size, timeout=timeout)
    with TemporaryDirectory(dir=path.parent, prefix=_PART) as part:
        try:
            whole = pooch.retrieve(
                remote.url,
                known_hash=f"sha256:{remote.sha256}",
                fname=remote.name,
                path=part,
                downloader=fetch,  # pyright: ignore[reportArgumentType]
            )
        except ValueError as error:
            raise DownloadError(f"{remote.url} is not the expected file: {error}") from error
        os.replace(whole, path)
    return path


def _fetch(url: str, output: str, _: object, *, size: int, timeout: float) -> None:
    """Write the body of the answer to `output`, refusing any that is not `size` bytes."""
    import requests  # a fifth of a second to import: only when something is fetched
    from tqdm.auto import tqdm

    try:
        with (
            requests.get(
                url, stream=True, timeout=timeout, headers={"Accept-Encoding": "identity"}
            ) as answer,
            open(output, "wb") as file,
            tqdm(total=size, unit="B", unit_scale=True, desc=Path(url).name, leave=False) as bar,
        ):
            _check_status(url, answer.status_code, answer.reason)
            kind = answer.headers.get("Content-Type", "unknown type")
            deadline = time.monotonic() + timeout + size / _BYTES_PER_SECOND
            received = 0
            for chunk in answer.iter_content(1 << 14):
                received += len(chunk)
                if received > size:
                    raise _wrong_size(url, size, "more", kind)
                if time.monotonic() > deadline:
                    raise _PassingError(f"{url} is too slow: {received:,} of {size:,} bytes")
                file.write(chunk)
                bar.update(len(chunk))
    except requests.RequestException as error:
        raise _PassingError(f"{url} cannot be reached or broke off: {error}") from error
    if received != size:
        raise _wrong_size(url, size, f"{received:,}", kind)


def _check_status(url: str, status: int, reason: str) -> None:
    if status in _TRY_AGAIN:
        raise _PassingError(f"{url}: the server answered {status} {reason}")
    if status != 200:
        raise DownloadError(f"{url}: the server answered {status} {reason}")


def _wrong_size(url: str, size: int, found: str, kind: str) -> DownloadError:
    page = " (a web page: perhaps a login or an error in disguise)" if "html" in kind else ""
    return DownloadError(f"{url} should be {size:,} bytes, and {found} came, as {kind}{page}")


def _digest(path: Path) -> str:
    return pooch.file_hash(str(path), alg="sha256")


def _sweep(folder: Path) -> None:
    """Remove what runs that were killed more than a day ago left behind."""
    for left in folder.glob(f"{_PART}*"):
        if time.time() - left.stat().st_mtime > _DAY:
            shutil.rmtree(left, ignore_errors=True)


def _unpack(archive: Path, folder: Path) -> None:
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            for tar_member in tar.getmembers():
                plain = tar_member.isfile() or tar_member.isdir()
                _check_member(archive, tar_member.name, plain)
            # Python's own filter too, where there is one (not before 3.11.4).
            tar.extraction_filter = getattr(tarfile, "data_filter", lambda member, path: member)
            tar.extractall(folder)
            while tar.fileobj and tar.fileobj.read(1 << 20):
                pass  # a compressed file's checksum is at its end
    elif zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for member in zipped.infolist():
                kind = member.external_attr >> 28  # file type of a Unix mode: 4 folder, 8 file
                _check_member(archive, member.filename, kind in (0, 4, 8))
            zipped.extractall(folder)
    else:
        raise ValueError(f"{archive} is neither a zip nor a tar archive")


def _check_member(archive: Path, name: str, plain: bool) -> None:
    """Refuse what has no place in a data set, with a name that can be searched for."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\0" in name:
        raise ValueError(f"{archive} holds {name!r}, which leads out of the folder")
    if not plain:
        raise ValueError(f"{archive} holds {name!r}, which is neither a file nor a folder")
