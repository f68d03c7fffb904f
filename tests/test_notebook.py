"""The example notebook does what it shows."""

from __future__ import annotations

import ast
import io
import json
import re
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples" / "askmask.ipynb"

pytestmark = pytest.mark.skipif(not NOTEBOOK.exists(), reason="not a checkout of the repository")


def run(source: str, names: dict[str, Any]) -> tuple[str, Any]:
    """What a cell prints, and its last value."""
    lines = ast.parse(source)
    last = lines.body.pop() if isinstance(lines.body[-1], ast.Expr) else None
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(lines, "cell", "exec"), names)
        code = compile(ast.Expression(last.value), "cell", "eval") if last else "None"
        value = eval(code, names)
    return printed.getvalue(), value


def test_cells_print_and_show_what_is_kept_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    names: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    for cell in (cell for cell in cells if cell["cell_type"] == "code"):
        printed, value = run("".join(cell["source"]), names)
        outputs = cell["outputs"]
        kept = "".join(line for one in outputs for line in one.get("text", ()))
        # Other weights give other numbers.
        assert re.sub(r"[\d.]+", "0", printed) == re.sub(r"[\d.]+", "0", kept)
        shown = {kind for one in outputs for kind in one.get("data", ())}
        assert (value is not None) == bool(shown)
        assert hasattr(value, "_repr_jpeg_") or "image/jpeg" not in shown


def test_it_is_small() -> None:
    assert NOTEBOOK.stat().st_size < 600_000
