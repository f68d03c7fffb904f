"""`askmask doctor`: findings, advice, and the exit code."""

from __future__ import annotations

import json
from importlib import metadata
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cli_result import Run
from fake_llm_server import FakeServer
from hub_cache import put_into_cache

from askmask.cli import doctor
from askmask.cli.doctor import Check
from askmask.errors import WeightsError
from askmask.models.embedded.weights import EmbeddedWeights


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture(autouse=True)
def weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fake models have no files: let all of them verify."""
    monkeypatch.setattr(EmbeddedWeights, "verify", lambda self: None)


def found(run: Run, code: int = 0) -> dict[str, Check]:
    result = run("doctor", "--json")
    assert result.code == code
    assert result.err == ""
    record = json.loads(result.out)
    assert record["ok"] is (code == 0)
    return {check["name"]: Check(**check) for check in record["checks"]}


def test_a_sound_installation(run: Run) -> None:
    checks = found(run)
    assert {"python", "platform", "numpy", "onnxruntime", "model embedded-v1"} <= set(checks)
    assert checks["numpy"].detail == metadata.version("numpy")
    assert all(check.status == "ok" for check in checks.values() if check.core)
    assert "torchvision" not in checks  # not installed, nothing to say


def test_the_table_says_the_verdict(run: Run) -> None:
    result = run("doctor")
    assert result.code == 0
    assert "extra [scenes]" in result.out
    assert "askmask can work" in result.out


def test_a_broken_model_is_a_broken_core(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: EmbeddedWeights) -> None:
        raise WeightsError("expected SHA-256 ab,\ngot cd")

    monkeypatch.setattr(EmbeddedWeights, "verify", refuse)
    check = found(run, code=1)["model embedded-v1"]
    assert (check.status, check.detail) == ("broken", "expected SHA-256 ab, got cd")
    assert "askmask cannot work" in run("doctor").out


def test_a_core_package_that_does_not_import(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(doctor._CORE, "numpy", "no_such_module")
    check = found(run, code=1)["numpy"]
    assert check.status == "broken"
    assert check.advice == "pip install --force-reinstall numpy"


def test_an_absent_extra_gives_the_command(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        metadata, "requires", lambda _: ["numpy", "no-such-package[x]>=1 ; extra == 'scenes'"]
    )
    check = found(run)["extra [scenes]"]
    assert (check.status, check.detail) == ("absent", "no no-such-package")
    assert "pip install 'askmask[scenes]'" in check.advice


@pytest.mark.parametrize(
    ("code", "status", "detail"),
    [
        ("print('0.28.0')", "ok", "0.28.0"),
        ("raise RuntimeError('operator torchvision::nms does not exist')", "broken", "nms"),
        ("import os; os._exit(7)", "broken", "it crashes"),
    ],
)
def test_torchvision_is_really_imported(
    run: Run, monkeypatch: pytest.MonkeyPatch, code: str, status: str, detail: str
) -> None:
    real = doctor.subprocess.run

    def other_code(command: list[str], **options: object) -> object:
        return real([*command[:2], code], **options)  # type: ignore[call-overload]

    monkeypatch.setattr(
        doctor, "subprocess", SimpleNamespace(run=other_code, TimeoutExpired=OSError)
    )
    monkeypatch.setattr(doctor, "find_spec", lambda name: ModuleSpec(name, None))
    check = found(run)["torchvision"]
    assert check.status == status
    assert detail in check.detail
    assert ("pip uninstall torchvision" in check.advice) is (status == "broken")


def test_the_cache_of_the_hub_is_counted(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    assert found(run)["hub cache"].detail.startswith("0 of ")
    put_into_cache(tmp_path, "facebook/sam2.1-hiera-tiny")
    check = found(run)["hub cache"]
    assert (check.status, check.detail.split()[0]) == ("ok", "1")
    assert check.detail.endswith(str(tmp_path))


def test_the_hub_is_asked_unless_it_is_switched_off(
    run: Run, monkeypatch: pytest.MonkeyPatch, llm_server: FakeServer
) -> None:
    check = found(run)["hub connection"]
    assert (check.status, check.detail) == ("absent", "switched off by HF_HUB_OFFLINE")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", llm_server.url + "/v1/here")
    monkeypatch.setattr(llm_server.http.RequestHandlerClass, "do_HEAD", head, raising=False)
    assert found(run)["hub connection"].status == "ok"
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    check = found(run)["hub connection"]
    assert check.status == "absent"
    assert "127.0.0.1:9" in check.detail
    assert "folders work all the same" in check.advice


def head(handler: Any) -> None:
    """Answer as a web server that has the page."""
    handler.send_response(200)
    handler.end_headers()
