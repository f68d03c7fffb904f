"""Rendered pictures with written queries, cached once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import (
    QueryRecord,
    read_entities,
    read_queries,
    write_entities,
    write_queries,
)
from askmask.pantry.build import build_scenes
from askmask.pantry.language.folder import build_queries_folder
from askmask.training.candidates import cache_renders, read_shard
from askmask.training.renders import learnable

NATURAL = Path(__file__).parents[2] / "benchmarks" / "pantry-natural"

pytestmark = pytest.mark.skipif(not NATURAL.is_dir(), reason="no benchmark beside the tests")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One picture of the benchmark, with its queries."""
    folder = tmp_path / "renders"
    folder.mkdir()
    (record,) = islice(read_entities(NATURAL / "entities.jsonl"), 1)
    write_entities(folder / "entities.jsonl", [record])
    write_queries(
        folder / "queries.jsonl",
        [
            replace(query, tags=())
            for query in read_queries(NATURAL / "queries.jsonl")
            if query.image == record.image
        ],
    )
    (folder / record.image).parent.mkdir(parents=True, exist_ok=True)
    (folder / record.image).write_bytes((NATURAL / record.image).read_bytes())
    return folder


def rewrite(folder: Path, queries: Iterable[QueryRecord]) -> None:
    write_queries(folder / "queries.jsonl", list(queries))


def test_a_shard_is_made_once_and_anew_for_other_queries(folder: Path, tmp_path: Path) -> None:
    queries = list(read_queries(folder / "queries.jsonl"))
    (shard,) = cache_renders("embedded-v1", folder, tmp_path, workers=1)
    (scene,) = read_shard(shard)
    typed = [query for query in queries if query.mask_type is not None]
    assert [query.text for query in scene.queries] == [query.text for query in typed]
    assert scene.candidates > 0
    assert any(query.wanted for query in scene.queries)
    assert all(query.steps is None for query in scene.queries)
    assert np.isfinite(scene.tokens.appearance).all()

    written = shard.stat().st_mtime_ns
    assert cache_renders("embedded-v1", folder, tmp_path) == [shard]
    assert shard.stat().st_mtime_ns == written

    kept, *_ = queries
    rewrite(folder, [kept])
    (other,) = cache_renders("embedded-v1", folder, tmp_path, workers=1)
    assert other != shard
    assert [query.text for query in read_shard(other)[0].queries] == [kept.text]


def test_sentences_are_made_about_scenes_and_not_about_pictures(
    folder: Path, tmp_path: Path
) -> None:
    (shard,) = cache_renders("embedded-v1", folder, tmp_path, per_scene=5, workers=1)
    assert all(query.steps is None for query in read_shard(shard)[0].queries)

    scenes = tmp_path / "scenes"
    build_scenes(scenes, count=2, seed=1, size_hw=(120, 160), split="train")
    build_queries_folder(scenes, split="train", per_image=3)
    (written,) = cache_renders("embedded-v1", scenes, tmp_path, workers=1)
    (more,) = cache_renders("embedded-v1", scenes, tmp_path, per_scene=5, workers=1)
    for before, after in zip(read_shard(written), read_shard(more), strict=True):
        count = len(before.queries)
        assert after.queries[:count] == before.queries
        made = after.queries[count:]
        assert 0 < len(made) <= 5
        for query in made:
            assert query.steps is not None
            assert set(query.wanted) <= set(range(after.candidates))
            assert all(
                after.candidates <= row < len(after.tokens.appearance) for row in query.references
            )


class TestLearnable:
    def test_files_may_be_named_after_their_split(self, folder: Path) -> None:
        (plain,) = learnable(folder)
        for kind in ("entities", "queries"):
            (folder / f"{kind}.jsonl").rename(folder / f"{kind}-train.jsonl")
        assert list(learnable(folder)) == [plain]

    def test_a_picture_with_a_query_of_the_test_part_is_left_out(self, folder: Path) -> None:
        first, *others = read_queries(folder / "queries.jsonl")
        rewrite(folder, [replace(first, tags=("part:test",)), *others])
        assert list(learnable(folder)) == []

    @pytest.mark.parametrize("split", ["test", "test-views"])
    def test_test_splits_are_refused(self, folder: Path, split: str) -> None:
        (folder / "queries.jsonl").rename(folder / f"queries-{split}.jsonl")
        with pytest.raises(ConfigError, match="is of a test split, from which nothing may be"):
            list(learnable(folder))

    def test_a_folder_of_something_else_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"expected queries\.jsonl or queries-SPLIT.jsonl"):
            list(learnable(tmp_path))
