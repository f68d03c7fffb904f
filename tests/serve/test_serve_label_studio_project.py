"""The Label Studio example: the project that it makes is one that the server answers for."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from running import DEMO, Client

from askmask import rle
from askmask.formats.brush import decode_brush

SCRIPT = Path(__file__).parents[2] / "examples" / "plugins" / "label_studio_project.py"
TEXT = "all bottles"


class Studio(HTTPServer):
    """Remembers what it is sent, and answers as Label Studio does."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Request)
        self.sent: list[tuple[str, str, Any]] = []


class Request(BaseHTTPRequestHandler):
    server: Studio

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.sent.append((self.path, self.headers["Authorization"], content))
        self.send_response(201)
        self.end_headers()
        self.wfile.write(b'{"id": 7}')

    def log_message(self, format: str, *arguments: Any) -> None:
        """Say nothing."""


@pytest.fixture
def studio() -> Iterator[Studio]:
    with Studio() as studio:
        thread = threading.Thread(target=studio.serve_forever)
        thread.start()
        yield studio
        studio.shutdown()
        thread.join()


def test_a_folder_becomes_a_project(studio: Studio, server: Client, tmp_path: Path) -> None:
    shutil.copy(DEMO, tmp_path)
    (tmp_path / "notes.txt").write_text("no picture")
    address = f"http://127.0.0.1:{studio.server_port}"
    model = f"http://127.0.0.1:{server.port}"
    command = [sys.executable, SCRIPT, tmp_path, "--labels", "bottle", 'a "box"', "--text", TEXT]
    done = subprocess.run(
        [*command, "--studio", address, "--model", model],
        env={"LABEL_STUDIO_API_KEY": "secret"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{address}/projects/7: 1 tasks\n"
    paths, keys, (project, tasks, backend) = zip(*studio.sent, strict=True)
    assert paths == ("/api/projects", "/api/projects/7/import", "/api/ml")
    assert set(keys) == {"Token secret"}
    assert backend == {"url": model, "project": 7, "title": "askmask", "is_interactive": True}
    assert server.get("/health")[1]["status"] == "UP"  # what Label Studio asks for next
    asked = {"tasks": [{"id": 1, **tasks[0]}], "label_config": project["label_config"]}
    status, answer = server.post("/predict", asked)
    assert status == 200
    (prediction,) = answer["results"]
    assert len(prediction["result"]) >= 2
    _, expected = server.post("/v1/segment", {"image": tasks[0]["data"]["image"], "text": TEXT})
    for region, mask in zip(prediction["result"], expected["masks"], strict=True):
        assert (region["from_name"], region["to_name"]) == ("mask", "image")
        assert region["value"]["brushlabels"] == ["bottle"]
        size_hw = (region["original_height"], region["original_width"])
        code = rle.encode(decode_brush(region["value"]["rle"], size_hw))
        assert code == mask["segmentation"]
