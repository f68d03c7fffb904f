"""A run that is killed again and again ends as an undisturbed one, and nothing is paid twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from fake_llm_server import FakeServer
from toy_annotations import write_source

PICTURES, KILLS, WORKERS = 40, 10, 2

DRIVER = f"""
import sys
from pathlib import Path
from askmask.authoring.author import Authoring
from askmask.llm.patience import Patience
from askmask.authoring.source import Source

kind, url, source, out = sys.argv[1:]
patience = Patience(tries=4, first_wait=0.01)
if kind == "openai":
    from askmask.authoring.looking import LookingWriter
    from askmask.llm.openai_server import OpenAIServer
    writer = LookingWriter(OpenAIServer("tiny", url + "/v1", patience=patience))
else:
    from askmask.authoring.anthropic_batches import AnthropicBatches
    writer = AnthropicBatches("tiny", base_url=url, patience=patience)
sys.stdin.readline()
Authoring(
    Source((Path(source),), Path(out)), writer, Path(out), "toy",
    workers={WORKERS}, batch_size=4, poll_seconds=0.01,
).run(resume=True)
"""


def start(kind: str, server: FakeServer, source: Path, out: Path) -> subprocess.Popen[bytes]:
    arguments = [sys.executable, "-c", DRIVER, kind, server.url, str(source), str(out)]
    return subprocess.Popen(arguments, stdin=subprocess.PIPE)


def files(out: Path) -> dict[str, bytes]:
    return {
        path.name: path.read_bytes()
        for path in sorted(out.iterdir())
        if path.is_file() and not path.name.startswith(("journal", "."))
    }


def finish(process: subprocess.Popen[bytes]) -> int:
    """Let a started process begin; return its exit code."""
    process.communicate(b"\n", timeout=300)
    return process.returncode


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["openai", "anthropic-batch"])
def test_ten_kills_change_nothing(kind: str, server: FakeServer, tmp_path: Path) -> None:
    if kind != "openai":
        pytest.importorskip("anthropic")
    source = write_source(tmp_path / "source", PICTURES)
    assert finish(start(kind, server, source, tmp_path / "calm")) == 0
    calm = files(tmp_path / "calm")
    assert len(server.billed) == PICTURES
    server.billed.clear()
    server.answers.clear()
    server.batches.clear()
    server.calls.clear()
    rng = random.Random(7)
    kills = 0
    for _ in range(KILLS):
        process = start(kind, server, source, tmp_path / "killed")
        phase = rng.choice(("before", "during", "after"))
        server.kill = (process.pid, rng.randrange(3), phase, rng.choice((0.0, 0.003, 0.02)))
        kills += finish(process) == -signal.SIGKILL
        server.kill = None
    assert kills == KILLS, "the runs were over before they were killed"
    assert not (tmp_path / "killed/queries-val.jsonl").exists()
    assert finish(start(kind, server, source, tmp_path / "killed")) == 0
    assert files(tmp_path / "killed") == calm
    assert len(server.billed) == PICTURES
    assert set(server.billed.values()) == {1}
    if kind == "openai":
        # Also where a server does not know idempotency keys, only what was out is sent again.
        again = server.calls.count("POST /v1/chat/completions") - PICTURES
        assert again <= KILLS * WORKERS
    assert not list((tmp_path / "killed").glob(".*"))
