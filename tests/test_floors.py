"""Imports point down the floors of the architecture only."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import askmask

FLOORS = (
    (
        "types",
        "rle",
        "rle_batch",
        "loops",
        "compiled",
        "collector",
        "geometry",
        "polygons",
        "images",
        "atomic",
        "cores",
        "errors",
    ),
    ("formats", "overlay", "answers", "llm"),
    ("datasets", "pantry", "authoring", "browse"),
    ("metrics",),
    ("models",),
    ("runs", "training", "reports"),
    ("cli", "serve", "__main__"),
)
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
FACADE = len(FLOORS) - 1  # `from askmask import load`: only the top floor may
SOURCE = Path(askmask.__file__).parent
MODULES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield line number and room, e.g. "formats", of every import of this package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "askmask":
                yield node.lineno, rest.partition(".")[0]


def climbing(source: str, room: str) -> list[str]:
    """Return the imports in `source`, a file of `room`, that point up."""
    return [
        f"line {line}: {room} imports {other or 'askmask'}"
        for line, other in imported(ast.parse(source))
        if FLOOR_OF.get(other, FACADE) > FLOOR_OF[room]
    ]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_point_down(path: Path) -> None:
    room = path.relative_to(SOURCE).parts[0].removesuffix(".py")
    assert room in FLOOR_OF, f"{room} has no floor; see STYLE.md"
    assert climbing(path.read_text(encoding="utf-8"), room) == []


@pytest.mark.parametrize(
    "line",
    [
        "from askmask.cli.main import main",
        "from askmask import metrics",
        "import askmask.models.segmenter",
        "import askmask",
        "from askmask import load",
        "def f():\n    from askmask.runs.folder import RunFolder",
    ],
)
def test_the_check_can_fail(line: str) -> None:
    assert len(climbing(line, "pantry")) == 1


def test_the_check_lets_good_imports_pass() -> None:
    lines = "import numpy\nfrom askmask import rle\nfrom askmask.formats.files import read_json"
    assert climbing(lines, "pantry") == []
    assert climbing("from askmask import load", "cli") == []
