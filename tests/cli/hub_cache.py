"""A cache of the hub with something in it."""

from __future__ import annotations

from pathlib import Path


def put_into_cache(cache: Path, repository: str, revision: str = "main") -> None:
    """Make the folders that a download leaves, with an empty configuration."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / revision).write_text("abc123")
    (folder / "snapshots" / "abc123").mkdir(parents=True)
    (folder / "snapshots" / "abc123" / "config.json").write_text("{}")
