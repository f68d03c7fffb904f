"""The cards of the systems name tests, code and options that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("torch")

from askmask.models.system_weights import SYSTEMS, build_system

ROOT = Path(__file__).parents[2]
CARDS = ROOT / "docs" / "systems.md"

pytestmark = pytest.mark.skipif(not CARDS.is_file(), reason="not a checkout of the repository")


def _rows(system: str) -> list[list[str]]:
    """Cells of a card: the paper's word, code, tests, options that take it away."""
    sections = re.split(r"^## ", CARDS.read_text("utf-8"), flags=re.M)[1:]
    (section,) = (each for each in sections if each.partition("\n")[0].lower() == system)
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize("system", sorted(SYSTEMS))
def test_a_card_names_what_is_there(system: str) -> None:
    tests = (ROOT / "tests" / "models" / f"test_{system}.py").read_text("utf-8")
    code = (ROOT / "src" / "askmask" / "models" / f"{system}.py").read_text("utf-8")
    options = build_system(system, "tiny", {}).options()
    rows = _rows(system)
    assert len(rows) >= 4
    for paper, places, shown, without in rows:
        assert paper
        for place in re.findall(r"`([\w.]+)`", places):
            assert re.search(rf"\b{place.removesuffix('.py').split('.')[-1]}\b", code), place
        named = re.findall(r"`(\w+)`(?! in the figures)", shown)
        assert named
        assert [name for name in named if f"def test_{name}(" not in tests] == []
        assert set(re.findall(r"`(\w+)", without)) <= set(options)
