"""The project's own files agree with each other."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
HEAVY = {"torch", "transformers", "opencv-python-headless", "mujoco", "scipy", "safetensors"}

pytestmark = pytest.mark.skipif(
    not (ROOT / "pyproject.toml").exists(), reason="not a checkout of the repository"
)


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=!~ ;]", line)[0] for line in requirements}


def test_core_needs_nothing_heavy() -> None:
    assert not names(project()["dependencies"]) & HEAVY
    assert "torch" in names(project()["optional-dependencies"]["train"])  # so the check can fail


def test_version_is_the_same_everywhere() -> None:
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {project()['version']}\n" in citation


def test_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert project()["license"] == "Apache-2.0"
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_style_names_files_that_exist() -> None:
    for line in (ROOT / "STYLE.md").read_text(encoding="utf-8").splitlines():
        if match := re.match(r"\| `(\w+)/?` \| `(\w+\.py)`", line):
            room, name = match.groups()
            folder = {"askmask": "src/askmask", "tests": "tests"}.get(room, f"src/askmask/{room}")
            assert (ROOT / folder / name).is_file(), line


def test_makefile_verbs_are_ten_and_explained() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    verbs = ["setup", "demo", "test", "check", "fmt", "lint", "type", "bench", "docs", "clean"]
    assert set(re.findall(r"^([a-z]+):.*##", text, re.M)) == {*verbs, "help"}
