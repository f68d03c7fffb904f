"""Time evaluation against the usual ways, side by side in one run, on made queries of R2SM's kind.

    python bench/evaluate.py [--queries 39000] [--stream 1000000]

A query has 1 to 4 targets and 1 to 6 predicted masks of 640 x 480 pixels, whose codes have some 270
characters. Times are the least of a few calls, in wall seconds and in CPU seconds of all threads;
on a busy machine look at the ratios. Rows with "+ mask" add the peers' times for AP + AR and for
gIoU + cIoU, as ours gives all four in one pass. `--stream` runs the command on files of that many
lines, and of a tenth and a hundredth of it, and prints what memory each took.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np
from pycocotools import mask as coco
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

try:
    import hotcoco
except ImportError:
    hotcoco = None

from askmask import loops, rle
from askmask.formats.askmask import (
    PredictedMask,
    Prediction,
    QueryRecord,
    Target,
    read_predictions,
    read_queries,
)
from askmask.metrics import evaluate, packed
from askmask.metrics.average_precision import average_precision, average_recall
from askmask.metrics.counts import count
from askmask.metrics.instances import Instances
from askmask.metrics.iou import ciou, giou
from askmask.metrics.mask_counts import Wanted, count_instances
from askmask.metrics.parts import parts_of
from askmask.types import MaskType

H, W = 480, 640
WIDE = 50
"""Characters of a row's name."""

FUSED = Wanted(instances=False, pairs=False, rims=False, twins=False)
INSTANCES = Wanted(pairs=False, rims=False, twins=False)


def blob(rng: np.random.Generator, like: tuple | None = None) -> tuple[rle.RLE, tuple]:
    """Ragged ellipse, half of the time with a piece cut out; near another one when given."""
    if like is None:
        radius = np.exp(rng.uniform(np.log(7), np.log(130)))
        shape = (rng.uniform(60, W - 60), rng.uniform(50, H - 50), radius, rng.uniform(0.5, 1.6))
    else:
        off = np.exp(rng.uniform(np.log(0.01), np.log(0.6)))
        x, y, radius, aspect = like
        shape = (x + rng.normal(0, off * radius), y + rng.normal(0, off * radius), radius, aspect)
    x, y, radius, aspect = shape
    columns = np.arange(max(0, int(x - radius)), min(W, int(x + radius) + 1))
    half = aspect * np.sqrt(np.maximum(radius**2 - (columns - x) ** 2, 0))
    half = half * (1 + 0.1 * np.sin(columns / 7 + rng.uniform(0, 6)))
    top, bottom = (np.clip(edge, 0, H).astype(int) for edge in (y - half, y + half + 1))
    pieces = [(top, bottom)]
    if rng.random() < 0.25:
        cut = (top + (bottom - top) * rng.uniform(0.3, 0.5)).astype(int)
        pieces = [(top, cut), (np.minimum(cut + int(radius / 4), bottom), bottom)]
    ends = np.stack([edge for piece in pieces for edge in piece], axis=1) + columns[:, None] * H
    runs = np.diff(ends.ravel(), prepend=0, append=H * W)
    return rle.from_counts(runs.tolist(), (H, W)), shape


def make(number: int) -> tuple[list[QueryRecord], list[Prediction]]:
    """Queries, half of them amodal, and what a fair model may answer."""
    rng = np.random.default_rng(0)
    queries, predictions = [], []
    for i in range(number):
        targets = [blob(rng) for _ in range(rng.choice([1, 2, 3, 4], p=[0.58, 0.25, 0.11, 0.06]))]
        masks = []
        for k in range(rng.choice(6, p=[0.22, 0.24, 0.2, 0.15, 0.11, 0.08]) + 1):
            like = targets[k % len(targets)][1] if rng.random() < 0.82 else None
            masks.append(PredictedMask(blob(rng, like)[0], round(float(rng.random()), 4)))
        kind = MaskType.AMODAL if i % 2 else MaskType.MODAL
        codes = tuple(Target(code) for code, _ in targets)
        queries.append(QueryRecord(f"q{i}", "a.png", H, W, "the mug", codes, mask_type=kind))
        predictions.append(Prediction(f"q{i}", mask_type=kind, masks=tuple(masks)))
    return queries, predictions


Seconds = tuple[float, float]
"""Wall and CPU."""


def seconds(call: Callable[[], object], repeats: int = 3) -> Seconds:
    """Least wall and least CPU time of a few calls."""
    spans = []
    for _ in range(repeats):
        start, used = time.perf_counter(), time.process_time()
        call()
        spans.append((time.perf_counter() - start, time.process_time() - used))
    wall, cpu = zip(*spans, strict=True)
    return min(wall), min(cpu)


def codes_of(query: QueryRecord, answer: Prediction) -> tuple[list, list]:
    """Codes of targets and of predicted masks."""
    return [t.segmentation for t in query.targets], [m.segmentation for m in answer.masks]


def ours_fused(queries: list, predictions: list) -> tuple[float, float]:
    """Value of gIoU and cIoU."""
    counts = count(queries, predictions, FUSED)
    return giou(counts).value, ciou(counts).value


def loop(queries: list, predictions: list) -> tuple[float, float]:
    """Decode every mask and loop, as most scripts do."""
    ious, common, either = [], 0, 0
    for pair in zip(queries, predictions, strict=True):
        g, p = (coco.decode(codes).any(axis=2) for codes in codes_of(*pair))
        i, u = int(np.logical_and(g, p).sum()), int(np.logical_or(g, p).sum())
        ious.append(i / u if u else 1.0)
        common, either = common + i, either + u
    return float(np.mean(ious)), common / either


def merged(queries: list, predictions: list) -> tuple[float, float]:
    """Stay in run-length codes with the compiled functions of pycocotools."""
    ious, common, either = [], 0, 0
    for pair in zip(queries, predictions, strict=True):
        g, p = (coco.merge(codes) for codes in codes_of(*pair))
        i = int(coco.area(coco.merge([g, p], intersect=True)))
        u = int(coco.area(g)) + int(coco.area(p)) - i
        ious.append(i / u if u else 1.0)
        common, either = common + i, either + u
    return float(np.mean(ious)), common / either


def ours_ap(queries: list, predictions: list) -> tuple[float, float]:
    """Value of AP and AR, the other ranges of area computed too."""
    instances = count(queries, predictions, INSTANCES).instances
    assert instances is not None
    values = [average_precision(instances, area).value for area in range(4)]
    return values[0], average_recall(instances).value


def ours_ap_alone(queries: list, predictions: list) -> tuple[float, float]:
    """Value of AP and AR without the masks fused, as COCOeval has it."""
    found: list[Instances] = []
    for start in range(0, len(queries), 1_000):
        here = slice(start, start + 1_000)
        batches = parts_of(queries[here], predictions[here]).batches(loops.BATCH)
        found += [count_instances(batch, batch.read()) for batch in batches]
    first = np.cumsum([0, *(len(masks) for masks in found)])
    columns = {
        field.name: np.concatenate([getattr(masks, field.name) for masks in found], axis=-1)
        for field in fields(Instances)
    }
    moved = [masks.query + start for masks, start in zip(found, first, strict=False)]
    instances = Instances(**{**columns, "query": np.concatenate(moved).astype(np.int32)})
    values = [average_precision(instances, area).value for area in range(4)]
    return values[0], average_recall(instances).value


def as_coco(queries: list, predictions: list) -> tuple[dict, list]:
    """Each query as an image, all masks of one class."""
    images, anns, results = [], [], []
    for i, (query, answer) in enumerate(zip(queries, predictions, strict=True), 1):
        images.append({"id": i, "height": H, "width": W})
        for target in query.targets:
            one = {"id": len(anns) + 1, "image_id": i, "category_id": 1, "iscrowd": 0}
            area = rle.area(target.segmentation)
            anns.append({**one, "area": area, "segmentation": target.segmentation})
        for mask in answer.masks:
            one = {"image_id": i, "category_id": 1, "score": mask.score}
            results.append({**one, "segmentation": mask.segmentation})
    return {"images": images, "annotations": anns, "categories": [{"id": 1}]}, results


def cocoeval(truth: dict, results: list) -> tuple[float, float]:
    """Value of AP and AR by pycocotools."""
    with contextlib.redirect_stdout(io.StringIO()):
        data = COCO()
        data.dataset = truth
        data.createIndex()
        run = COCOeval(data, data.loadRes([dict(one) for one in results]), "segm")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return float(run.stats[0]), float(run.stats[8])


def rust(truth: dict, results: list) -> tuple[float, float]:
    """Value of AP and AR by hotcoco."""
    with contextlib.redirect_stdout(io.StringIO()):
        data = hotcoco.COCO(truth)
        run = hotcoco.COCOeval(data, data.load_res(results), "segm")
        run.run()
    return float(run.stats[0]), float(run.stats[8])


def write(folder: Path, queries: list, predictions: list, lines: int) -> tuple[Path, Path]:
    """Write files of `lines` lines, the records again and again under new ids."""
    paths = folder / "queries.jsonl", folder / "predictions.jsonl"
    for path, records in zip(paths, (queries, predictions), strict=True):
        texts = [json.dumps(record.to_json()) for record in records]
        with path.open("w") as stream:
            for i in range(lines):
                k = i % len(records)
                stream.write(texts[k].replace(f'"q{k}"', f'"q{i}"', 1) + "\n")
    return paths


CHILD = """
import atexit, resource, sys
from pathlib import Path
from askmask.cli.main import main

def most():
    lines = Path("/proc/self/status").read_text().splitlines()
    kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    kilobytes += resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss  # the second process
    print(kilobytes / 1024, file=sys.stderr)

atexit.register(most)
main()
"""


def whole(paths: tuple[Path, Path]) -> tuple[Seconds, float, tuple[float, float]]:
    """Wall and CPU seconds, MB at most and value of gIoU and AP: the command, from its start.

    MB of both processes are added, though they share the pages of libraries.
    """
    queries, predictions = map(str, paths)
    command = ["evaluate", predictions, "--against", queries, "--protocol", "r2sm", "--json"]
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    run = subprocess.run([sys.executable, "-c", CHILD, *command], check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    figures = json.loads(run.stdout)["metrics"]
    values = figures["gIoU"]["value"], figures["AP"]["value"]
    return (wall, cpu), float(run.stderr.split()[-1]), values


def compare_dense(queries: list, predictions: list) -> None:
    """Masks that are dense in memory: packed bits against bools."""
    stacks = [
        tuple(np.stack([*map(rle.decode, codes)]) for codes in codes_of(*pair))
        for pair in zip(queries[:100], predictions[:100], strict=True)
    ]

    def bits() -> None:
        for g, p in stacks:
            a, b = packed.pack(p), packed.pack(g)
            packed.iou_matrix(a, b)
            packed.fused_areas(a, b)

    def bools() -> None:
        for g, p in stacks:
            for one in p:
                for other in g:
                    (one & other).sum() / max((one | other).sum(), 1)
            a, b = p.any(axis=0), g.any(axis=0)
            (a & b).sum() / max((a | b).sum(), 1)

    row("dense masks, packed bits: loop on bools", seconds(bits), seconds(bools))


def row(name: str, ours: Seconds, theirs: Seconds) -> None:
    """Print one comparison."""
    numbers = "".join(f"{number:8.3f}" for number in (*ours, *theirs))
    print(f"{name:{WIDE}}{numbers}{theirs[0] / ours[0]:8.1f}{theirs[1] / ours[1]:8.1f}")


def alone(name: str, ours: Seconds) -> None:
    """Print what has no peer."""
    print(f"{name:{WIDE}}{ours[0]:8.3f}{ours[1]:8.3f}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--stream", type=int, default=0, metavar="LINES")
    given = parser.parse_args()
    queries, predictions = make(given.queries)
    extras = "with" if loops.worth(loops.BATCH) else "without"
    print(f"{given.queries:,} queries, {extras} numba; seconds, and how many times as fast")
    print(f"{'':{WIDE}}{'ours':>8}{'CPU':>8}{'theirs':>8}{'CPU':>8}{'x':>8}{'x CPU':>8}")
    a, b, c = (call(queries, predictions) for call in (ours_fused, loop, merged))
    assert np.allclose(a, b, rtol=0, atol=1e-12)
    assert np.allclose(a, c, rtol=0, atol=1e-12)
    ours = seconds(lambda: ours_fused(queries, predictions))
    row("gIoU + cIoU: decode and loop", ours, seconds(lambda: loop(queries, predictions), 1))
    masks = seconds(lambda: merged(queries, predictions))
    row("gIoU + cIoU: pycocotools.mask", ours, masks)
    truth, results = as_coco(queries, predictions)
    ranked = ours_ap(queries, predictions)
    assert np.allclose(ranked, cocoeval(truth, results), rtol=0, atol=1e-12)
    ours = seconds(lambda: ours_ap(queries, predictions))
    official = seconds(lambda: cocoeval(truth, results), 2)
    assert np.allclose(ours_ap_alone(queries, predictions), ranked, rtol=0, atol=1e-12)
    alone_too = seconds(lambda: ours_ap_alone(queries, predictions))
    row("AP + AR: COCOeval", alone_too, official)
    row("gIoU + cIoU + AP + AR: COCOeval, AP + AR only", ours, official)
    row(
        "gIoU + cIoU + AP + AR: COCOeval + mask",
        ours,
        (official[0] + masks[0], official[1] + masks[1]),
    )
    if hotcoco is not None:
        assert np.allclose(ranked, rust(truth, results), rtol=0, atol=1e-12)
        peer = seconds(lambda: rust(truth, results))
        row("AP + AR: hotcoco", alone_too, peer)
        row("gIoU + cIoU + AP + AR: hotcoco, AP + AR only", ours, peer)
        row("gIoU + cIoU + AP + AR: hotcoco + mask", ours, (peer[0] + masks[0], peer[1] + masks[1]))
    compare_dense(queries, predictions)
    alone("r2sm, records in memory", seconds(lambda: evaluate(queries, predictions, "r2sm")))
    with tempfile.TemporaryDirectory() as folder:
        paths = write(Path(folder), queries, predictions, given.queries)

        def read() -> None:
            for reader, path in zip((read_queries, read_predictions), paths, strict=True):
                for _ in reader(path):
                    pass

        alone("reading both files", seconds(read))
        sizes = [given.queries, *(given.stream // part for part in (100, 10, 1) if given.stream)]
        for lines in sizes:
            files = write(Path(folder), queries, predictions, lines)
            used, most, values = whole(files)
            assert lines != given.queries or np.allclose(
                values, (a[0], ranked[0]), rtol=0, atol=1e-12
            )
            alone(f"askmask evaluate, files of {lines:,} lines", used)
            print(f"{'  memory':{WIDE}}{most:8.0f} MB at most")


if __name__ == "__main__":
    main()
