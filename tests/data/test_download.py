"""Tests of bigmodel_lib/data/download.py, against a server on this machine that misbehaves."""

import hashlib
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bigmodel_lib.data.download import DownloadError, Remote, data_folder, download, extract

BODY = bytes(range(256)) * 400  # 102,400 bytes
ROOT = Path(__file__).parents[2]


BODIES = {  # what is sent, and the length that is declared if it is another
    "good": (BODY,),
    "login": (b"<html><title>Sign in</title>" + b" " * 2_000 + b"</html>",),
    "altered": (BODY[:50_000] + b"!" + BODY[50_001:],),
    "longer": (BODY + b"more",),
    "shorter": (BODY[:-1],),
    "truncated": (BODY[:50_000], len(BODY)),
    "stalled": (BODY[:50_000], len(BODY)),
}


class Server(ThreadingHTTPServer):
    """Answers each path with the fault that it names, and counts the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests: list[str] = []
        self.closing = threading.Event()

    def remote(self, path: str) -> Remote:
        url = f"http://127.0.0.1:{self.server_port}/{path}"
        return Remote(url=url, size=len(BODY), sha256=hashlib.sha256(BODY).hexdigest())


class Handler(BaseHTTPRequestHandler):
    server: Server

    def log_message(self, *_) -> None:
        pass

    def do_GET(self) -> None:
        fault = self.path.strip("/").split("/")[0]
        self.server.requests.append(fault)
        passed = "-then-" in fault and self.server.requests.count(fault) == 3
        if passed:
            self._answer(BODY)
        elif fault[:3].isdigit():
            self.send_error(int(fault[:3]))
        elif fault == "silent":
            self.server.closing.wait(20)
        else:
            body, *declared = BODIES[fault.removesuffix("-then-whole")]
            kind = "text/html; charset=utf-8" if fault == "login" else "application/gzip"
            self._answer(body, kind, *declared, then_wait=fault == "stalled")

    def _answer(self, body, kind="application/gzip", length=None, then_wait=False) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
        if then_wait:
            self.server.closing.wait(20)


@pytest.fixture
def server():
    with Server() as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.closing.set()
        server.shutdown()


def fetch(remote: Remote, folder: Path, **arguments) -> Path:
    return download(remote, folder, timeout=0.5, wait=0.01, **arguments)


def test_a_good_file_arrives_once(server, tmp_path):
    remote = server.remote("good/numbers.bin")
    path = fetch(remote, tmp_path / "new" / "folder")

    assert path == tmp_path / "new" / "folder" / "numbers.bin"
    assert path.read_bytes() == BODY
    assert fetch(remote, tmp_path / "new" / "folder") == path
    assert server.requests == ["good"]
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("fault", "n_requests", "message"),
    [
        ("404", 1, r"/404/numbers\.bin: the server answered 404 Not Found"),
        ("403", 1, "the server answered 403 Forbidden"),
        ("500", 3, r"the server answered 500 .* \(tried 3 times\)"),
        ("503", 3, r"the server answered 503 .* \(tried 3 times\)"),
        ("login", 1, r"be 102,400 bytes, and 2,035 came, as text/html.*perhaps a login"),
        ("altered", 1, r"not the expected file: .*expected sha256:\w{64} but got \w{64}"),
        ("longer", 1, "should be 102,400 bytes, and more came"),
        ("shorter", 1, "should be 102,400 bytes, and 102,399 came"),
        ("truncated", 3, r"broke off: .*50000 bytes read.* \(tried 3 times\)"),
        ("stalled", 3, r"broke off: .*timed out.* \(tried 3 times\)"),
        ("silent", 3, r"cannot be reached.*timed out.* \(tried 3 times\)"),
    ],
)
def test_a_fault_is_told_and_leaves_nothing(server, tmp_path, fault, n_requests, message):
    with pytest.raises(DownloadError, match=message):
        fetch(server.remote(f"{fault}/numbers.bin"), tmp_path, attempts=3)
    assert server.requests == [fault] * n_requests
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("fault", "n_requests"), [("503-then-200", 3), ("truncated-then-whole", 3)]
)
def test_a_fault_that_passes_is_waited_for(server, tmp_path, fault, n_requests):
    path = fetch(server.remote(f"{fault}/numbers.bin"), tmp_path)
    assert path.read_bytes() == BODY
    assert server.requests == [fault] * n_requests


def test_a_server_that_is_not_there(server, tmp_path):
    remote = Remote(url="http://127.0.0.1:1/numbers.bin", size=1, sha256="0" * 64)
    with pytest.raises(DownloadError, match=r"127\.0\.0\.1:1/numbers\.bin cannot be reached"):
        fetch(remote, tmp_path, attempts=1)


@pytest.mark.parametrize("change", [b"", BODY[:-1], BODY[:-1] + b"!"])
def test_a_file_altered_on_the_disk_is_fetched_again(server, tmp_path, change):
    tmp_path.joinpath("numbers.bin").write_bytes(change)
    assert fetch(server.remote("good/numbers.bin"), tmp_path).read_bytes() == BODY


def test_a_failed_fetch_keeps_no_wrong_file_in_use(server, tmp_path):
    """An altered file on the disk is never returned, even if the network is gone."""
    tmp_path.joinpath("numbers.bin").write_bytes(b"wrong")
    with pytest.raises(DownloadError):
        fetch(server.remote("404/numbers.bin"), tmp_path)


def test_a_killed_download_is_not_trusted(server, tmp_path):
    """Killed with half of the file there; the next run fetches it, a later one sweeps."""
    remote = server.remote("stalled/numbers.bin")
    code = (
        "from pathlib import Path; from bigmodel_lib.data.download import Remote, download;"
        f"download({remote!r}, Path({str(tmp_path)!r}), timeout=60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not any(p.stat().st_size for p in tmp_path.rglob("tmp*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()

    (left,) = tmp_path.iterdir()
    assert any(path.is_file() for path in left.rglob("*"))
    assert fetch(server.remote("good/numbers.bin"), tmp_path).read_bytes() == BODY
    tmp_path.joinpath("numbers.bin").unlink()
    os.utime(left, (0, 0))
    fetch(server.remote("good/numbers.bin"), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["numbers.bin"]


def test_no_attempt_at_all_is_refused(server, tmp_path):
    with pytest.raises(ValueError, match="attempts must be at least 1, got 0"):
        fetch(server.remote("good/numbers.bin"), tmp_path, attempts=0)


def test_the_folder_can_be_chosen(monkeypatch, tmp_path):
    monkeypatch.setenv("BIGMODEL_DATA", str(tmp_path))
    assert data_folder() == tmp_path
    monkeypatch.delenv("BIGMODEL_DATA")
    assert data_folder().name == "bigmodel"


def make_tar(path: Path, members: list[tuple[tarfile.TarInfo | str, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for member, content in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def make_zip(path: Path, members: list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w") as zipped:
        for member, content in members:
            zipped.writestr(member, content)
    return path


@pytest.mark.parametrize(("make", "name"), [(make_tar, "a.tar.gz"), (make_zip, "a.zip")])
def test_an_honest_archive_is_unpacked(tmp_path, make, name):
    archive = make(tmp_path / name, [("set/a.txt", b"A"), ("set/deep/b..txt", b"B")])
    folder = extract(archive, tmp_path / "out")

    files = {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.txt")}
    assert files == {"set/a.txt": b"A", "set/deep/b..txt": b"B"}
    with pytest.raises(FileExistsError, match="exists and is not empty"):
        extract(archive, folder)


HOSTILE = ["../outside.txt", "set/../../outside.txt", "/tmp/outside.txt", "..\\outside.txt",
           "C:\\outside.txt", "set\\..\\..\\outside.txt"]  # fmt: skip


@pytest.mark.parametrize("hostile", HOSTILE)
@pytest.mark.parametrize(("make", "name"), [(make_tar, "a.tar.gz"), (make_zip, "a.zip")])
def test_a_path_that_leads_out_is_refused(tmp_path, make, name, hostile):
    archive = make(tmp_path / name, [("good.txt", b"A"), (hostile, b"evil")])
    with pytest.raises(ValueError, match="leads out of the folder"):
        extract(archive, tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("*outside*"))
    assert not list(tmp_path.rglob("*.txt"))


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    info = tarfile.TarInfo("link")
    info.type, info.linkname = kind, "../../etc/passwd"
    archive = make_tar(tmp_path / "a.tar.gz", [(info, b"")])
    with pytest.raises(ValueError, match="'link', which is neither a file nor a folder"):
        extract(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = make_zip(tmp_path / "a.zip", [(info, b"/etc/passwd")])
    with pytest.raises(ValueError, match="'link', which is neither a file nor a folder"):
        extract(archive, tmp_path / "out")


@pytest.mark.parametrize(("make", "name"), [(make_tar, "a.tar.gz"), (make_zip, "a.zip")])
@pytest.mark.parametrize("damage", ["cut", "flipped", "nothing"])
def test_a_damaged_archive_leaves_nothing(tmp_path, make, name, damage):
    archive = make(tmp_path / name, [("a.bin", os.urandom(50_000))])
    whole = archive.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    archive.write_bytes({"cut": whole[:middle], "flipped": flipped, "nothing": b""}[damage])

    with pytest.raises(ValueError, match=r"is damaged: |neither a zip nor a tar"):
        extract(archive, tmp_path / "out")
    assert list(tmp_path.iterdir()) == [archive]
