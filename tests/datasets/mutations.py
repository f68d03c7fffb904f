"""Files that are nearly right: what fuzz tests give to readers."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from askmask.datasets.frame import BadRecords, DatasetFormat
from askmask.errors import DataError
from askmask.formats.askmask import EntityRecord, QueryRecord

NASTY: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        7,
        0.5,
        1e300,
        10**30,
        10**400,
        "a\0b",
        float("nan"),
        float("inf"),
        "",
        "x",
        "\ud800",
    ),
    *([], {}, [[]], [{}], [None], [1, 2, 3, 4, 5, 6, 7], [0, 0, 9, 0, 9, float("nan")]),
    *([[1, 2]], [["1", "2", "3", "4", "5", "6"]], [[0, 0, 1e18, 0, 1e18, 1e18]], [10**400]),
    *({"size": [40, 60], "counts": "?"}, {"size": [10**9, 10**9], "counts": "0"}),
    *({"size": 3, "counts": [1]}, {"size": [40, 60], "counts": [10**18]}, {"counts": None}),
    {"size": [1, 100_000_000], "counts": "PPPPP"},
    [[-900.0, -900.0, -800.0, -900.0, -800.0, -800.0]],
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a JSON value."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    for key in list(keys):
        yield value, key
        yield from places(value[key])


@st.composite
def mutated(draw: st.DrawFn, content: Any) -> str:
    """The text of a file with one to three changes, sometimes cut off."""
    changed = copy.deepcopy(content)
    for _ in range(draw(st.integers(1, 3))):
        found = list(places(changed))
        if not found:
            break
        container, key = found[draw(st.integers(0, len(found) - 1))]
        how = draw(st.sampled_from(("replace", "replace", "drop", "twice")))
        if how == "replace":
            container[key] = copy.deepcopy(draw(st.sampled_from(NASTY)))
        elif how == "drop":
            del container[key]
        elif isinstance(container, list):
            container.append(copy.deepcopy(container[key]))
    text = json.dumps(changed)
    cut = draw(st.one_of(st.none(), st.none(), st.integers(0, len(text))))
    return text if cut is None else text[:cut]


def check_survives(format: DatasetFormat, path: Path) -> None:
    """Read everything of a file: records that are right, and DataError, are all that may come."""
    format.recognises(path)
    for skip in (True, False):
        bad = BadRecords(skip=skip)
        try:
            for split in format.splits(path):
                for reader, kind in (
                    (format.entities, EntityRecord),
                    (format.queries, QueryRecord),
                ):
                    for record in reader(path, split, None, bad) if reader else ():
                        line = json.dumps(record.to_json(), ensure_ascii=False, allow_nan=False)
                        kind.from_json(json.loads(line.encode()), "a record that was read")
                if format.claims:
                    list(format.claims(path, split, None))
            if format.counts:
                format.counts(path, bad)
        except DataError as error:
            bad.listed.append({"where": str(path), "error": str(error)})
        for one in bad.listed:
            assert one["error"].encode()
            assert "\n" not in one["error"]
            assert path.name in one["error"]
            assert path.name in one["where"]
