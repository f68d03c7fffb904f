"""Parquet with the columns of our records and the pictures inside, as `datasets` opens it.

A folder is ready to be pushed to a hub: README.md is the card, `queries/` and `entities/` hold the
shards. The schema carries the features, so that pictures are decoded, mask types have names and
`meta` is JSON: the keys that the format does not know, of the record and of its parts.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard

from askmask.errors import ConfigError, DataError, MissingExtraError
from askmask.formats.askmask import EntityRecord, QueryRecord
from askmask.formats.collection import Collection, Losses, OnBad, Options, Split, stop
from askmask.formats.picture_files import find_picture
from askmask.images import MAX_IMAGE_BYTES
from askmask.types import MaskType

__all__ = ["read_parquet", "write_parquet"]

_SHARD_BYTES = 400_000_000
"""Size of pictures and masks from which on a new file is begun."""

_ROWS = 100
"""Rows to a group: what a viewer reads at once."""

_TYPES = [kind.value for kind in MaskType]

_ALL = "full"
"""What the split "all" is called there, where that word means all splits."""

_TEXT, _INT, _RATE = ({"_type": "Value", "dtype": kind} for kind in ("string", "int64", "float64"))
_JSON = {"_type": "Json"}


def _list(feature: Any, length: int = -1) -> dict[str, Any]:
    return {"_type": "List", "feature": feature, "length": length}


_RLE = {"size": _list({"_type": "Value", "dtype": "int32"}, 2), "counts": _TEXT}

_PICTURE = {"image": {"_type": "Image"}, "path": _TEXT, "height": _INT, "width": _INT}

_FEATURES: Mapping[str, Mapping[str, Any]] = {
    "queries": {
        "id": _TEXT,
        **_PICTURE,
        "text": _TEXT,
        "references": _list(_RLE),
        "mask_type": {"_type": "ClassLabel", "names": _TYPES},
        "targets": _list({"segmentation": _RLE, "entity": _INT, "category": _TEXT, "modal": _RLE}),
        "ignore": _RLE,
        "tags": _list(_TEXT),
        "meta": _JSON,
    },
    "entities": {
        **_PICTURE,
        "entities": _list(
            {
                "id": _INT,
                "category": _TEXT,
                "modal": _RLE,
                "amodal": _RLE,
                "occlusion_rate": _RATE,
                "occluded_by": _list(_INT),
                "depth_order": _INT,
            }
        ),
        "meta": _JSON,
    },
}
"""Columns of each kind of record, as `datasets` describes them."""

_PARTS = {"queries": "targets", "entities": "entities"}

_DIRECT = {"queries": ("id", "text", "references", "ignore", "tags"), "entities": ()}


def _pyarrow(module: str = "") -> Any:
    try:
        return importlib.import_module(f"pyarrow{module}")
    except ImportError as error:
        raise MissingExtraError.of("pyarrow", "parquet", "parquet") from error


def _arrow_type(feature: Any) -> Any:
    """The type that `datasets` stores a feature in."""
    arrow = _pyarrow()
    kind = feature.get("_type") if isinstance(feature, dict) else None
    if kind == "List":
        length = feature["length"]
        return arrow.list_(_arrow_type(feature["feature"]), *([length] if length > 0 else []))
    if kind == "Image":
        return arrow.struct({"bytes": arrow.binary(), "path": arrow.string()})
    if kind == "ClassLabel":
        return arrow.int64()
    if kind == "Json":
        return arrow.json_()
    if kind == "Value":
        return arrow.type_for_alias(feature["dtype"])
    return arrow.struct({key: _arrow_type(one) for key, one in feature.items()})


def _schema(kind: str) -> Any:
    features = _FEATURES[kind]
    about = json.dumps({"info": {"features": features}})
    columns = [(name, _arrow_type(feature)) for name, feature in features.items()]
    return _pyarrow().schema(columns, metadata={"huggingface": about})


def _row(record: QueryRecord | EntityRecord, kind: str, images: Path | None) -> dict[str, Any]:
    """A record as a row: what is no column goes to `meta`."""
    said = record.to_json()
    columns, part = _FEATURES[kind], _PARTS[kind]
    inner = columns[part]["feature"]
    rests = [{key: one for key, one in item.items() if key not in inner} for item in said[part]]
    meta = {key: one for key, one in said.items() if key not in columns}
    path = find_picture(record.image, images)
    row = {
        **{key: said[key] for key in _DIRECT[kind]},
        "image": {"bytes": path.read_bytes(), "path": path.name},
        "path": record.image,
        "height": record.height,
        "width": record.width,
        part: [{key: item.get(key) for key in inner} for item in said[part]],
        "meta": json.dumps({"record": meta, part: rests} if meta or any(rests) else {}),
    }
    if kind == "queries":
        asked = said["mask_type"]
        row["mask_type"] = None if asked is None else _TYPES.index(asked)
    return row


def _size_of(row: Mapping[str, Any]) -> int:
    return len(row["image"]["bytes"]) + len(row["meta"]) + 1_000


def _write_shards(rows: Iterable[dict[str, Any]], folder: Path, split: str, kind: str) -> int:
    """Write SPLIT-00000-of-00002.parquet and so on; return how many there are."""
    arrow, files = _pyarrow(), _pyarrow(".parquet")
    schema = _schema(kind)
    folder.mkdir(parents=True, exist_ok=True)
    drafts: list[Path] = []
    writer, written = None, 0
    try:
        for group in _groups(rows):
            if writer is None or written > _SHARD_BYTES:
                if writer is not None:
                    writer.close()
                drafts.append(folder / f"{split}-{len(drafts)}.draft")
                writer, written = files.ParquetWriter(drafts[-1], schema), 0
            writer.write_table(arrow.Table.from_pylist(group, schema=schema))
            written += sum(map(_size_of, group))
    finally:
        if writer is not None:
            writer.close()
    for number, draft in enumerate(drafts):
        draft.rename(folder / f"{split}-{number:05d}-of-{len(drafts):05d}.parquet")
    return len(drafts)


def _groups(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    group: list[dict[str, Any]] = []
    for row in rows:
        group.append(row)
        if len(group) == _ROWS or sum(map(_size_of, group)) > _SHARD_BYTES // 4:
            yield group
            group = []
    if group:
        yield group


def _split_name(name: str) -> str:
    """A name that `datasets` takes: letters, digits and underscores."""
    return _ALL if name == "all" else re.sub(r"\W", "_", name)


def write_parquet(collection: Collection, out: Path, options: Options, losses: Losses) -> None:
    """Write a folder with shards and a card; pictures are put inside.

    Raises:
        ConfigError: when there are neither queries nor entities, or two splits of one name.
        DataError: when a picture is missing.
        MissingExtraError: without pyarrow.
    """
    _pyarrow()
    names = [_split_name(name) for name in collection.splits]
    if len(set(names)) != len(names):
        raise ConfigError(f"splits {', '.join(collection.splits)}: expected names that differ")
    found: dict[str, dict[str, int]] = {}
    for name, split in zip(names, collection.splits.values(), strict=True):
        losses.add("predictions", len(split.predictions), "parquet holds queries and entities")
        for kind in _FEATURES:
            records: Sequence[QueryRecord | EntityRecord] = getattr(split, kind)
            if records:
                rows = (_row(one, kind, split.images) for one in records)
                _write_shards(rows, out / kind, name, kind)
                found.setdefault(kind, {})[name] = len(records)
    if not found:
        raise ConfigError("the source has neither queries nor entities")
    (out / "README.md").write_text(_card(collection, found), encoding="utf-8")


def _card(collection: Collection, found: Mapping[str, Mapping[str, int]]) -> str:
    """The card: what a hub and `datasets` read in its head, what people read below."""
    license = collection.license.lower()
    known = re.fullmatch(r"(cc|mit|apache|bsd|odc|odbl|gpl|cdla)[a-z0-9.\-]*", license)
    head = ["---", f"pretty_name: {json.dumps(collection.name)}"]
    head += [f"license: {license if known else 'other'}"]
    head += [] if known else [f"license_name: {json.dumps(collection.license[:100])}"]
    head += ["task_categories:", "- image-segmentation", "tags:"]
    head += ["- referring-segmentation", "- amodal-segmentation", "- askmask", "configs:"]
    for number, (kind, splits) in enumerate(found.items()):
        head += [f"- config_name: {kind}", *(["  default: true"] if not number else [])]
        head += ["  data_files:"]
        for split in splits:
            head += [f"  - split: {split}", f"    path: {kind}/{split}-*.parquet"]
    first = next(iter(found))
    counts = [
        f"| {kind} | {split} | {count:,} |"
        for kind, splits in found.items()
        for split, count in splits.items()
    ]
    body = f"""
# {collection.name}

Source: {collection.source or "not stated"}. Licence: {collection.license}.

| configuration | split | rows |
|---|---|---|
{chr(10).join(counts)}

```python
from datasets import load_dataset
from pycocotools import mask

rows = load_dataset("THIS", "{first}", split="{next(iter(found[first]))}")
```

Masks are COCO run-length codes: `mask.decode(row["targets"][0]["segmentation"])` is an array of 0
and 1. `mask_type` says which pixels a query asks for: modal (visible), amodal (complete) or hidden.
`askmask convert DIR --from parquet --to askmask --out OUT` gives the records back.
"""
    return "\n".join([*head, "---"]) + "\n" + body


def _meta(row: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    meta = row.get("meta")
    try:
        read = json.loads(meta) if isinstance(meta, str) else meta
    except ValueError as error:
        raise DataError(f"{where}, column 'meta': expected JSON, {error}") from error
    return read if isinstance(read, dict) else {}


def _are_mappings(items: object) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(items, list) and all(isinstance(item, dict) for item in items)


def _said(row: Mapping[str, Any], kind: str, where: str) -> dict[str, Any]:
    """A row as the line of a file: the inverse of `_row`."""
    part, meta = _PARTS[kind], _meta(row, where)
    items = row.get(part)
    if not _are_mappings(items):
        raise DataError(f"{where}, column {part!r}: expected a list of structs")
    rests = meta.get(part)
    rests = rests if _are_mappings(rests) and len(rests) == len(items) else [{}] * len(items)
    record = meta.get("record")
    picture = row.get("image")
    inside = picture.get("path") if isinstance(picture, dict) else None
    said = {
        **(record if isinstance(record, dict) else {}),
        **{key: row.get(key) for key in _DIRECT[kind]},
        "image": row.get("path") or inside,
        "height": row.get("height"),
        "width": row.get("width"),
        part: [
            {**rest, **{key: one for key, one in item.items() if one is not None}}
            for item, rest in zip(items, rests, strict=True)
        ],
    }
    number = row.get("mask_type")
    if kind == "queries" and number is not None:
        said["mask_type"] = _TYPES[number] if number in range(len(_TYPES)) else number
    return said


def _save_picture(row: Mapping[str, Any], said: dict[str, Any], folder: Path, where: str) -> None:
    """Write the picture of a row into `folder`, unless it is there, and note where it lies."""
    picture = row.get("image")
    data = picture.get("bytes") if isinstance(picture, dict) else None
    if not isinstance(data, bytes):
        raise DataError(f"{where}, column 'image': expected a picture inside the file")
    if len(data) > MAX_IMAGE_BYTES:
        raise DataError(f"{where}, column 'image': expected at most {MAX_IMAGE_BYTES:,} bytes")
    parts = [part for part in PurePosixPath(str(said["image"])).parts if part not in ("..", "/")]
    target = folder.joinpath(*parts)
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    said["image"] = target.relative_to(folder).as_posix()


def _read_file(
    path: Path, kind: str, pictures: Path | None, bad: OnBad
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read the rows of a shard: where each stands, and its line."""
    arrow, files = _pyarrow(), _pyarrow(".parquet")
    number = 0
    try:
        for batch in files.ParquetFile(path).iter_batches(_ROWS):
            for row in batch.to_pylist():
                where = f"{path}, row {number}"
                number += 1
                try:
                    said = _said(row, kind, where)
                    if pictures is not None:
                        _save_picture(row, said, pictures, where)
                    yield where, said
                except DataError as error:
                    bad(where, error)
    except (OSError, arrow.ArrowException) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{path}: cannot be read as parquet ({reason})") from error


def read_parquet(path: str | Path, options: Options, bad: OnBad = stop) -> Collection:
    """Read a folder that `write_parquet` made, or that was cloned from a hub.

    The pictures inside are written to `options.workspace`; with `options.images` they are not.

    Raises:
        DataError: when a file cannot be read; for a row, through `bad`.
        MissingExtraError: without pyarrow.
    """
    path = Path(path)
    pictures = None if options.images is not None else options.workspace
    splits: dict[str, dict[str, list[Any]]] = {}
    makers: dict[str, Callable[[object, str], Any]] = {
        "queries": QueryRecord.from_json,
        "entities": EntityRecord.from_json,
    }
    for kind, make in makers.items():
        for file in sorted((path / kind).glob("*.parquet")):
            name = re.sub(r"-\d{5}-of-\d{5}$", "", file.stem)
            name = "all" if name == _ALL else name
            if options.split in (None, name):
                group = splits.setdefault(name, {}).setdefault(kind, [])
                for where, said in _read_file(file, kind, pictures, bad):
                    try:
                        group.append(make(said, where))
                    except DataError as error:
                        bad(where, error)
    if not splits:
        raise DataError(f"{path}: expected queries/*.parquet or entities/*.parquet in it")
    home = options.images or pictures
    read = {
        name: Split(tuple(one.get("entities", ())), tuple(one.get("queries", ())), images=home)
        for name, one in splits.items()
    }
    return Collection(read, path.resolve().name, source=path.name, temporary=pictures is not None)
