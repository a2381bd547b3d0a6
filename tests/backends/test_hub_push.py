"""Uploading, by the hub's own client against a small hub on loopback."""

import base64
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from judgesmith.backends.hub_push import Upload

SMALL = {"README.md": b"# card\n", "judge.json": b"{}\n"}
LARGE = bytes(range(256)) * 50


class Hub(BaseHTTPRequestHandler):
    """Repositories, small files in commits, large ones by LFS: what an upload asks for."""

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(size)
        self.server.asked.append((self.path, self.headers.get("Authorization")))  # type: ignore[attr-defined]
        if self.server.refuse:  # type: ignore[attr-defined]
            self.answer({"error": "you may not"}, 403)
        elif self.path == "/api/repos/create":
            self.server.made.append(json.loads(body))  # type: ignore[attr-defined]
            self.answer({"url": f"{self.address}/me/judge", "name": "me/judge"})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            self.answer({"files": [
                {"path": f["path"], "shouldIgnore": False,
                 "uploadMode": "lfs" if f["path"].endswith(".safetensors") else "regular"}
                for f in files
            ]})  # fmt: skip
        elif self.path.endswith("/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            self.answer({"transfer": "basic", "objects": [
                {**one, "actions": {"upload": {"href": f"{self.address}/lfs/{one['oid']}"}}}
                for one in objects
            ]})  # fmt: skip
        elif "/commit/" not in self.path:
            self.answer({"errors": [], "warnings": []})  # of the card's head
        else:
            self.server.commits.append([json.loads(line) for line in body.splitlines()])  # type: ignore[attr-defined]
            self.answer({
                "commitOid": "0" * 40, "commitUrl": f"{self.address}/me/judge/commit/{'0' * 40}",
            })  # fmt: skip

    def do_PUT(self) -> None:
        self.server.large.append(  # type: ignore[attr-defined]
            (self.path, self.rfile.read(int(self.headers["Content-Length"])))
        )
        self.answer({})

    def do_GET(self) -> None:
        self.answer({"error": "not there"}, 404)

    do_HEAD = do_GET

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def answer(self, value: Any, status: int = 200) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.asked, server.made, server.commits, server.large, server.refuse = [], [], [], [], False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "judge"
    made.mkdir()
    for name, content in SMALL.items():
        (made / name).write_bytes(content)
    (made / "model.safetensors").write_bytes(LARGE)
    return made


def pushed(hub: Any, folder: Path, tmp_path: Path) -> "subprocess.CompletedProcess[str]":
    code = (
        "import sys; from pathlib import Path; from judgesmith.errors import ModelError\n"
        "from judgesmith.backends.hub_push import Upload, push\n"
        "try:\n"
        " print(push(Upload(Path(sys.argv[1]), 'me/judge', 'model'), public=False))\n"
        "except ModelError as error:\n print('refused:', error)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True,
        env={**os.environ, "HF_ENDPOINT": f"http://127.0.0.1:{hub.server_address[1]}",
             "HF_TOKEN": "hf_test", "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf"),
             "NO_PROXY": "127.0.0.1", "HF_HUB_DISABLE_TELEMETRY": "1"},
    )  # fmt: skip


def test_every_file_arrives_whole_in_one_private_repository(
    hub: Any, folder: Path, tmp_path: Path
) -> None:
    done = pushed(hub, folder, tmp_path)
    assert "/me/judge/commit/" in done.stdout, done.stderr
    assert hub.made[0].get("visibility") == "private" or hub.made[0].get("private") is True
    assert {key for _, key in hub.asked} == {"Bearer hf_test"}
    assert [content for _, content in hub.large] == [LARGE]
    (commit,) = hub.commits
    files = {
        line["value"]["path"]: base64.b64decode(line["value"]["content"])
        for line in commit if line["key"] == "file"
    }  # fmt: skip
    assert files == SMALL
    lfs = [line["value"]["path"] for line in commit if line["key"] == "lfsFile"]
    assert lfs == ["model.safetensors"]


def test_a_hub_that_refuses_is_one_message(hub: Any, folder: Path, tmp_path: Path) -> None:
    hub.refuse = True
    done = pushed(hub, folder, tmp_path)
    assert done.stdout.startswith("refused: me/judge: could not be uploaded")
    assert "hf auth login" in done.stdout


def test_what_would_go_is_listed_with_its_size(folder: Path) -> None:
    (folder / "sub").mkdir()
    (folder / "sub" / "x").write_bytes(b"12")
    listed = Upload(folder, "me/judge", "model").files
    assert dict(listed) == {"README.md": 7, "judge.json": 3, "model.safetensors": 12800, "sub/x": 2}
