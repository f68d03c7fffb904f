"""Every layout in which predictions are read, by name, and how to know one from its content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from askmask.errors import ConfigError, DataError, TornLineError
from askmask.formats.askmask import read_predictions
from askmask.formats.prediction import Prediction
from askmask.formats.predictions.asked import Asked, read_asked
from askmask.formats.predictions.coco import read_coco
from askmask.formats.predictions.glamm import read_glamm
from askmask.formats.predictions.lisa import read_lisa
from askmask.formats.predictions.png import holds_instances, read_png, read_png_instances

__all__ = [
    "AUTO",
    "OWN",
    "PREDICTION_FORMATS",
    "check_format",
    "detect",
    "own_file",
    "predictions_for",
]

AUTO = "auto"
"""Name that asks for `detect`."""

OWN = "askmask"
"""Our own lines, which need no look at the queries."""

PREDICTION_FORMATS: Mapping[str, Callable[[Path, Asked], Iterator[Prediction]]] = {
    OWN: lambda path, _: read_predictions(_lines_of(path)),
    "coco": read_coco,
    "glamm": read_glamm,
    "lisa": read_lisa,
    "png": read_png,
    "png-instances": read_png_instances,
}
"""Readers by name; all take the path and the queries."""

_HEAD_BYTES = 4096


def check_format(name: str) -> str:
    """Return the name of a layout, or AUTO.

    Raises:
        ConfigError: when it is neither, naming those that exist.
    """
    if name not in (AUTO, *PREDICTION_FORMATS):
        raise ConfigError(
            f"expected {AUTO} or one of {', '.join(PREDICTION_FORMATS)}, got {name!r}"
        )
    return name


def _lines_of(path: Path) -> Path:
    """Return the predictions file of a run folder, or the file itself."""
    return path / "predictions.jsonl" if path.is_dir() else path


def own_file(path: Path, format: str = AUTO) -> Path | None:
    """Return the file of our own lines that `predictions_for` would read; None when in doubt."""
    lines = _lines_of(path)
    if format in (OWN, AUTO) and lines.is_file() and _head(lines).startswith(b"{"):
        return lines
    return None


def _head(path: Path) -> bytes:
    """Return the first bytes of a file that are no blanks."""
    try:
        with path.open("rb") as stream:
            return stream.read(_HEAD_BYTES).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error


def _detect_folder(folder: Path, asked: Callable[[], Asked]) -> str:
    """Tell the layout of a folder from its first file."""
    if _lines_of(folder).is_file():
        return OWN
    first = min((path for path in folder.rglob("[!.]*") if path.is_file()), default=None)
    head = b"" if first is None else _head(first)
    if head.startswith(b"\x89PNG"):
        return "png-instances" if holds_instances(folder, asked()) else "png"
    if head.startswith(b"\xff\xd8"):
        return "lisa"
    if head.startswith(b"{"):
        return "glamm"
    found = "no file" if first is None else f"{first.name} first"
    raise DataError(
        f"{folder}: expected a run folder, PNG masks, or results of LISA or GLaMM, got {found}; "
        "docs/predictions.md lists what is read"
    )


def detect(path: Path, asked: Callable[[], Asked]) -> str:
    """Tell the layout of predictions from their content.

    Args:
        path: file or folder.
        asked: gives the queries, which only a folder of PNG files needs.

    Raises:
        DataError: when it is none that is known.
    """
    if path.is_dir():
        return _detect_folder(path, asked)
    head = _head(path)
    if head.startswith(b"["):
        return "coco"
    if not head or head.startswith(b"{"):
        return OWN
    advice = ""
    if head.startswith((b"\x89PNG", b"\xff\xd8")):
        advice = "; give the folder that holds the masks"
    if head.startswith((b"PK", b"\x80")):
        advice = "; pickles of Python run code when they are read: write masks as PNG files"
    raise DataError(
        f"{path}: expected lines of predictions or a list of COCO results, got {head[:8]!r}"
        f"{advice}; docs/predictions.md lists what is read"
    )


def predictions_for(
    path: Path,
    against: Path,
    format: str = AUTO,
    *,
    on_torn: Callable[[TornLineError], None] | None = None,
) -> Iterator[Prediction]:
    """Read predictions in any of PREDICTION_FORMATS.

    Our own lines stream; their ids and sizes are checked where they meet the queries. The other
    layouts are checked here, against the ids and sizes of the queries.

    Args:
        path: file or folder.
        against: queries file.
        format: name of a layout, or AUTO.
        on_torn: called instead of raising when the last of our own lines was cut off by a killed
            writer; the lines before it are read.

    Raises:
        DataError: naming file, line and key.
        ImageError: for pictures that cannot be read.
    """
    known: list[Asked] = []

    def asked() -> Asked:
        if not known:
            known.append(read_asked(against))
        return known[0]

    name = detect(path, asked) if format == AUTO else format
    nothing = Asked(str(against), {}, {})
    try:
        yield from PREDICTION_FORMATS[name](path, nothing if name == OWN else asked())
    except TornLineError as error:
        if on_torn is None:
            raise
        on_torn(error)
