"""Data sets as collections, so that they convert like any other format."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.datasets.registry import FORMATS
from askmask.errors import ConfigError, DataError
from askmask.formats.collection import Collection, OnBad, Options, Split, stop
from askmask.formats.converters import Reader

__all__ = ["dataset_sources", "read_dataset"]


class _Reported(BadRecords):
    """Bad records that somebody else decides about."""

    def __init__(self, on_bad: OnBad) -> None:
        super().__init__(skip=True)
        self._on_bad = on_bad

    def bad(self, where: str, error: DataError) -> None:
        """Pass the record on."""
        self._on_bad(where, error)


def read_dataset(
    dataset: DatasetFormat, path: str | Path, options: Options, bad: OnBad = stop
) -> Collection:
    """Read all splits of a data set, or the one that is asked for.

    Raises:
        DataError: when a file cannot be read; for a record, through `bad`.
        ConfigError: when there is no such split.
    """
    path = Path(path)
    names = dataset.splits(path)
    if options.split is not None and options.split not in names:
        raise ConfigError(f"{path}: has the splits {', '.join(names)}, not {options.split!r}")
    report = _Reported(bad)
    home = options.images or (path if path.is_dir() else path.parent)
    splits = {}
    for name in [options.split] if options.split is not None else names:
        given = (path, name, options.images, report)
        entities = tuple(dataset.entities(*given)) if dataset.entities else ()
        queries = tuple(dataset.queries(*given)) if dataset.queries else ()
        splits[name] = Split(entities, queries, images=home)
    card = dataset.card
    return Collection(splits, card.name, card.licence, card.source)


def dataset_sources() -> dict[str, Reader]:
    """Readers of all data sets, by the names that the command line knows."""
    return {name: partial(read_dataset, dataset) for name, dataset in FORMATS.items()}
