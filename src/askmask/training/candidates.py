"""Scenes with their candidates and queries, cached: what the selector trains on.

Each shard holds some scenes: the mask tokens of the candidates that the trained proposer finds and
of every object's true mask (a possible reference), and sentences with the candidates they ask for.
Shards are made from seeds, written atomically, and left alone when they exist.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from askmask.cores import cores, one_thread_each
from askmask.formats.askmask import EntityRecord
from askmask.images import read_image
from askmask.models.embedded.mask_type import TYPES
from askmask.models.embedded.proposer import EmbeddedProposer
from askmask.models.embedded.selector import picture_tokens
from askmask.models.embedded.tokens import STEPS, MaskTokens
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.pantry.build import scene_from_record
from askmask.pantry.compose import compose
from askmask.pantry.language.banks import Pool
from askmask.pantry.language.queries import GeneratedQuery, build_queries
from askmask.pantry.sprites import SpriteBank
from askmask.rle import decode
from askmask.training.renders import learnable, render_digest

__all__ = ["CachedQuery", "CachedScene", "cache_renders", "cache_scenes", "read_shard"]

_MATCH = 0.5
"""Least modal IoU of a candidate with the object that it stands for."""


@dataclass(frozen=True)
class CachedQuery:
    """A sentence about a cached scene.

    Attributes:
        text: the sentence.
        references: rows of `CachedScene.tokens` that [1], [2], … point at.
        wanted: candidates that answer it; may be empty although there are targets, when the
            proposer missed them.
        targets: number of objects that answer it.
        mask_type: index into `TYPES`.
        phrase: the referring phrase alone, or "".
        steps: for each of `tokens.STEPS` the candidates that are part of it; None where unknown.
    """

    text: str
    references: tuple[int, ...]
    wanted: tuple[int, ...]
    targets: int
    mask_type: int
    phrase: str = ""
    steps: tuple[tuple[int, ...], ...] | None = None


@dataclass(frozen=True)
class CachedScene:
    """Tokens of N candidates followed by those of all true masks, and the sentences.

    Attributes:
        tokens: of N + O masks.
        candidates: N.
        queries: the sentences.
    """

    tokens: MaskTokens
    candidates: int
    queries: tuple[CachedQuery, ...]


@dataclass(frozen=True)
class _Composed:
    """What a worker needs to make one shard of composed scenes."""

    weights: str
    path: Path
    seeds: range
    per_scene: int
    pool: Pool


@dataclass(frozen=True)
class _Rendered:
    """What a worker needs to make one shard of rendered scenes."""

    weights: str
    path: Path
    folder: Path
    places: range
    per_scene: int
    categories: tuple[str, ...]


def cache_scenes(
    weights: str,
    folder: Path,
    *,
    first_seed: int,
    scenes: int,
    per_scene: int,
    pool: Pool,
    shard: int = 100,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Make the shards that are missing and return all.

    Args:
        weights: name or folder of an embedded model with a trained `image.onnx`.
        folder: where the shards go.
        first_seed: seed of the first scene.
        scenes: number of scenes.
        per_scene: sentences wanted for each scene.
        pool: phrasing pool, "train" or "test".
        shard: scenes in a shard.
        workers: processes; None for as many as there are cores.
        progress: called with shards done and in all.
    """
    folder.mkdir(parents=True, exist_ok=True)
    last = first_seed + scenes
    jobs = [
        _Composed(
            weights,
            folder / f"{pool}-{start - first_seed:07d}.npz",
            range(start, min(start + shard, last)),
            per_scene,
            pool,
        )
        for start in range(first_seed, last, shard)
    ]
    return _make_shards(jobs, workers, progress)


def _make_shards(
    jobs: Sequence[_Composed | _Rendered],
    workers: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[Path]:
    """Make what is missing, in several processes."""
    missing = [job for job in jobs if not job.path.exists()]
    done = len(jobs) - len(missing)
    context = get_context("spawn")
    with one_thread_each(), ProcessPoolExecutor(workers or cores(), context) as processes:
        making = [processes.submit(_make_shard, job) for job in missing]
        try:
            for finished in as_completed(making):
                finished.result()
                done += 1
                if progress is not None:
                    progress(done, len(jobs))
        finally:  # an interrupted training waits for the shards in the making, not for all
            processes.shutdown(cancel_futures=True)
    return [job.path for job in jobs]


def _make_shard(job: _Composed | _Rendered) -> None:
    proposer = EmbeddedProposer(EmbeddedWeights(job.weights))
    made = _composed(proposer, job) if isinstance(job, _Composed) else _rendered(proposer, job)
    _write_shard(job.path, list(made))


def _composed(proposer: EmbeddedProposer, job: _Composed) -> Iterator[CachedScene]:
    bank = SpriteBank.load()
    for seed in job.seeds:
        scene = compose(bank, seed)
        generated = build_queries(scene, np.random.default_rng(seed), job.pool, job.per_scene)
        modal = [item.modal for item in scene.objects]
        tokens, count, owner = _tokens(proposer, scene.image, modal)
        queries = tuple(_cached(query, count, owner) for query in generated)
        yield CachedScene(tokens, count, queries)


def _cached(query: GeneratedQuery, count: int, owner: NDArray[np.int64]) -> CachedQuery:
    """Say of a generated sentence which of the `count` candidates and true masks it is about."""
    return CachedQuery(
        text=query.text,
        references=tuple(count + index for index in query.references),
        wanted=_of(query.targets, owner),
        targets=len(query.targets),
        mask_type=TYPES.index(query.mask_type),
        phrase=query.phrase,
        steps=tuple(_of(getattr(query.steps, name), owner) for name in STEPS),
    )


def _of(objects: Collection[int], owner: NDArray[np.int64]) -> tuple[int, ...]:
    """Candidates that belong to one of the objects."""
    return tuple(candidate for candidate, one in enumerate(owner) if int(one) in objects)


def _tokens(
    proposer: EmbeddedProposer, image: NDArray[np.uint8], modal: Sequence[NDArray[np.bool_]]
) -> tuple[MaskTokens, int, NDArray[np.int64]]:
    """Tokens of candidates and true masks, number of candidates, object of each candidate or -1."""
    found, _ = proposer.proposals(image)
    tokens = picture_tokens(
        proposer.config,
        (image.shape[0], image.shape[1]),
        found.appearance,
        found.modal,
        found.amodal,
        modal,
    )
    count = len(found.score)
    overlap = tokens.pairs[:count, count:, -2]  # IoU of modal masks, see tokens._pairs
    owner = np.full(count, -1, np.int64)
    if overlap.size:
        best = overlap.argmax(1)
        owner = np.where(overlap.max(1) >= _MATCH, best, -1)
    return tokens, count, owner


def cache_renders(
    weights: str,
    folder: Path,
    cache: Path,
    *,
    per_scene: int = 0,
    shard: int = 100,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Path]:
    """Make the shards of a benchmark folder of rendered pictures that are missing; return all.

    Args:
        weights: as for `cache_scenes`.
        folder: what `learnable` reads.
        cache: where the shards go, under names that tell what the folder holds.
        per_scene: sentences of training wordings that are made for each scene beside the written
            ones, where the folder holds scenes, of which all is known, not just pictures.
        shard: pictures in a shard.
        workers: as for `cache_scenes`.
        progress: as for `cache_scenes`.
    """
    cache.mkdir(parents=True, exist_ok=True)
    name = f"{folder.name}-{render_digest(folder)}-{per_scene}"
    names = [{entity.category for entity in record.entities} for record, _ in learnable(folder)]
    categories = tuple(sorted(set().union(*names)))
    jobs = [
        _Rendered(
            weights,
            cache / f"{name}-{start:07d}.npz",
            folder,
            range(len(names))[start:][:shard],
            per_scene,
            categories,
        )
        for start in range(0, len(names), shard)
    ]
    return _make_shards(jobs, workers, progress)


def _rendered(proposer: EmbeddedProposer, job: _Rendered) -> Iterator[CachedScene]:
    for record, asked in islice(learnable(job.folder), job.places.start, job.places.stop):
        image = read_image(job.folder / record.image)
        rows = {item.id: row for row, item in enumerate(record.entities)}
        modal = [decode(item.modal) for item in record.entities]
        references = [decode(code) for query in asked for code in query.references]
        tokens, count, owner = _tokens(proposer, image, modal + references)
        owner[owner >= len(modal)] = -1
        queries, next_reference = [], count + len(modal)
        for query in asked:
            wanted = {rows[target.entity] for target in query.targets if target.entity}
            used = range(next_reference, next_reference + len(query.references))
            next_reference = used.stop
            if query.mask_type is None:
                continue
            queries.append(
                CachedQuery(
                    text=query.text,
                    references=tuple(used),
                    wanted=_of(wanted, owner),
                    targets=len(query.targets),
                    mask_type=TYPES.index(query.mask_type),
                )
            )
        queries += [_cached(query, count, owner) for query in _more(record, image, job)]
        yield CachedScene(tokens, count, tuple(queries))


def _more(record: EntityRecord, image: NDArray[np.uint8], job: _Rendered) -> list[GeneratedQuery]:
    """Make sentences about a rendered scene; none where the record is of a picture alone."""
    if not job.per_scene or "occlusion" not in record.extra:
        return []
    scene = scene_from_record(record, image)
    rng = np.random.default_rng([17, scene.seed])
    return build_queries(scene, rng, "train", job.per_scene, job.categories, tell_apart=True)


def _write_shard(path: Path, scenes: Sequence[CachedScene]) -> None:
    arrays: dict[str, NDArray[np.float16]] = {}
    described = []
    for index, scene in enumerate(scenes):
        arrays[f"appearance{index}"] = scene.tokens.appearance.astype(np.float16)
        arrays[f"geometry{index}"] = scene.tokens.geometry.astype(np.float16)
        arrays[f"pairs{index}"] = scene.tokens.pairs.astype(np.float16)
        queries = [list(vars(query).values()) for query in scene.queries]
        described.append({"candidates": scene.candidates, "queries": queries})
    temporary = path.with_suffix(".tmp.npz")
    text = np.frombuffer(json.dumps(described).encode(), np.uint8)
    np.savez(temporary, described=text, **arrays)  # type: ignore[arg-type]
    temporary.replace(path)


def read_shard(path: Path) -> list[CachedScene]:
    """Read what `cache_scenes` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        described = json.loads(arrays["described"].tobytes())
        return [
            CachedScene(
                MaskTokens(
                    *(
                        arrays[f"{name}{index}"].astype(np.float32)
                        for name in ("appearance", "geometry", "pairs")
                    )
                ),
                scene["candidates"],
                tuple(_read_query(*query) for query in scene["queries"]),
            )
            for index, scene in enumerate(described)
        ]


def _read_query(
    text: str,
    references: list[int],
    wanted: list[int],
    targets: int,
    mask_type: int,
    phrase: str,
    steps: list[list[int]] | None,
) -> CachedQuery:
    return CachedQuery(
        text,
        tuple(references),
        tuple(wanted),
        targets,
        mask_type,
        phrase,
        None if steps is None else tuple(tuple(step) for step in steps),
    )
