"""What a finished run says about itself: its model, its queries and its figures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from askmask.errors import DataError
from askmask.formats.codes import CodeChecks
from askmask.formats.fields import Fields
from askmask.formats.files import read_json
from askmask.metrics.report import Figure
from askmask.runs.folder import RunFolder

__all__ = ["Evaluation", "Run", "read_evaluation", "read_run", "settings"]

_MAX_BYTES = 100_000_000
"""Largest run.json or metrics.json that is read."""

_Slices = Mapping[str, Mapping[str, Figure]]


@dataclass(frozen=True)
class Run:
    """Predictions and where they come from.

    Attributes:
        path: run folder, or predictions from elsewhere.
        predictions: the file or folder with the answers.
        model: id of the model, or None when nobody says.
        queries: path of the predicted queries as the run was told it, or None.
        queries_sha256: hash of that file, or None.
    """

    path: Path
    predictions: Path
    model: str | None = None
    queries: Path | None = None
    queries_sha256: str | None = None

    @property
    def model_name(self) -> str | None:
        """The model for others to read: of a folder on this machine only the end of its path."""
        if self.model is None or not Path(self.model).is_absolute():
            return self.model
        return "/".join(Path(self.model).parts[-2:])


@dataclass(frozen=True)
class Evaluation:
    """Figures of one run as its metrics.json holds them.

    Attributes:
        run: the run.
        protocol: name of the protocol.
        data: hash of the queries in the signatures, or None when they name none.
        n: number of queries.
        metrics: figures by name.
        slices: the same for each slice.
    """

    run: Run
    protocol: str
    data: str | None
    n: int
    metrics: Mapping[str, Figure]
    slices: _Slices


def settings(signature: str) -> dict[str, str]:
    """Take a signature apart: setting -> value, without the metric's name."""
    return dict(part.partition(":")[::2] for part in signature.split("|")[1:])


def read_run(path: Path) -> Run:
    """Read run.json of a run; a file or folder without one stands for itself, as of another code.

    Raises:
        DataError: when there is nothing, or run.json is not what its format promises.
    """
    folder = RunFolder(path)
    if not folder.run_json.is_file():
        if not path.exists():
            raise DataError(f"{path}: expected a run folder, or predictions; found nothing")
        return Run(path, path)
    where = str(folder.run_json)
    record = read_json(folder.run_json, _MAX_BYTES)
    known = ("arguments", "model", "inputs")
    fields = _fields(record, where, known)
    inner = {
        key: _fields(fields.optional(key, fields.mapping) or {}, where, (), f"{key}.")
        for key in known
    }
    queries = inner["arguments"].optional("queries", inner["arguments"].name)
    return Run(
        path=path,
        predictions=folder.predictions,
        model=inner["model"].optional("id", inner["model"].name),
        queries=None if queries is None else Path(queries),
        queries_sha256=inner["inputs"].optional("queries", inner["inputs"].name),
    )


def read_evaluation(folder: Path) -> Evaluation:
    """Read the figures of a run folder.

    Raises:
        DataError: when metrics.json is missing or malformed, when its figures disagree on
            protocol or data, or when they are about other queries than the run predicted.
    """
    path = folder / "metrics.json"
    if not path.is_file():
        raise DataError(
            f"{path}: does not exist; make it with askmask evaluate {folder}/predictions.jsonl "
            f"--against QUERIES.jsonl --out {path}"
        )
    run = read_run(folder)
    fields = _fields(read_json(path, _MAX_BYTES), str(path), ("protocol", "n", "metrics", "slices"))
    metrics = _figures(fields.mapping("metrics"), str(path), "metrics")
    slices = fields.optional("slices", fields.mapping) or {}
    evaluation = Evaluation(
        run=run,
        protocol=fields.name("protocol"),
        data=_agreed(metrics, str(path)).get("data"),
        n=fields.integer("n", 0),
        metrics=metrics,
        slices={of: _figures(group, str(path), f"slices.{of}") for of, group in slices.items()},
    )
    predicted, scored = run.queries_sha256, evaluation.data
    if predicted is not None and scored is not None and not predicted.startswith(scored):
        raise DataError(
            f"{path}: is about the queries data:{scored}, but the run predicted "
            f"{predicted[: len(scored)]}; evaluate the run again"
        )
    return evaluation


def _fields(record: object, where: str, known: Iterable[str], prefix: str = "") -> Fields:
    """Keys of an object without masks."""
    return Fields(record, where, frozenset(known), CodeChecks(), prefix)


def _figures(record: object, where: str, prefix: str) -> dict[str, Figure]:
    """Read figures by name; null becomes NaN."""
    names = list(record) if isinstance(record, dict) else []
    outer = _fields(record, where, names, f"{prefix}.")
    return {name: _figure(outer.mapping(name), where, f"{prefix}.{name}.") for name in names}


def _figure(record: dict[str, Any], where: str, prefix: str) -> Figure:
    fields = _fields(record, where, ("value", "low", "high", "n", "signature"), prefix)
    numbers = (fields.optional(key, fields.share) for key in ("value", "low", "high"))
    value, low, high = (math.nan if one is None else one for one in numbers)
    return Figure(value, low, high, fields.integer("n", 0), fields.name("signature"))


def _agreed(metrics: Mapping[str, Figure], where: str) -> dict[str, str]:
    """Return protocol and data that all signatures name."""
    agreed: dict[str, str] = {}
    for key in ("protocol", "data"):
        named = {settings(figure.signature).get(key) for figure in metrics.values()}
        if len(named) != 1:
            raise DataError(
                f"{where}, key 'metrics': expected figures of one {key}, got signatures with "
                f"{', '.join(sorted(map(str, named))) or 'none'}; evaluate the run again"
            )
        value = named.pop()
        if value is not None:
            agreed[key] = value
    return agreed
