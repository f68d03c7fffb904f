"""`askmask evaluate` with bad input: one line that names the place, exit code 1, no figures."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cli_result import Result, Run
from PIL import Image

from askmask import rle

MASK = np.zeros((6, 8), bool)
MASK[2:4, 3:6] = True
CODE = rle.encode(MASK)
Score = Callable[..., Result]


def query(name: str, **more: Any) -> dict[str, Any]:
    record = {"id": name, "image": "a.png", "height": 6, "width": 8, "text": "the mug"}
    return record | {"mask_type": "modal", "targets": [{"segmentation": CODE}]} | more


def answer(name: str, **more: Any) -> dict[str, Any]:
    mask = {"segmentation": CODE, "score": 0.5}
    return {"id": name, "mask_type": "modal", "masks": [mask]} | more


@pytest.fixture
def score(run: Run) -> Score:
    """Write both files and evaluate; a string among the lines stands as it is."""

    def evaluate(queries: list[Any], answers: list[Any] | str, *options: str) -> Result:
        for path, lines in [("q.jsonl", queries), ("p.jsonl", answers)]:
            text = "".join(one if isinstance(one, str) else json.dumps(one) + "\n" for one in lines)
            # \udcc3 stands for the byte C3
            Path(path).write_bytes(text.encode("utf-8", "surrogateescape"))
        predictions = answers if isinstance(answers, str) else "p.jsonl"
        return run("evaluate", predictions, "--against", "q.jsonl", "--json", *options)

    return evaluate


def mask(**more: Any) -> dict[str, Any]:
    return {"segmentation": CODE, "score": 0.5} | more


def code(counts: str, size: tuple[int, int] = (6, 8)) -> dict[str, Any]:
    return {"size": [*size], "counts": counts}


TURNED = rle.encode(MASK.T)
TWO = [query("a"), query("b")]

BAD_ANSWERS: dict[str, tuple[list[Any], str]] = {
    "id twice": ([answer("a"), answer("a")], "p.jsonl:2: 'a' is already in line 1"),
    "no id": ([answer("a"), {"masks": []}], "p.jsonl:2, key 'id': missing"),
    "of no query": ([answer("a"), answer("b"), answer("c")], "p.jsonl:3: predictions: 1 of 3 are"),
    "no answer": ([answer("a")], "q.jsonl:2: predictions: 1 of 2 queries have none (b); finish"),
    "size of the picture": (
        [answer("a"), answer("b", masks=[mask(segmentation=TURNED)])],
        "p.jsonl:2: expected masks of size [6, 8] as in query b, got [8, 6]",
    ),
    "size of the fused mask": (
        [answer("a"), answer("b", masks=[], fused=TURNED)],
        "p.jsonl:2: expected masks of size [6, 8] as in query b, got [8, 6]",
    ),
    "sizes in one answer": (
        [answer("a", masks=[mask(), mask(segmentation=TURNED)])],
        "p.jsonl:1, key 'masks[1].segmentation': RLE size: expected [6, 8], got [8, 6]",
    ),
    "NaN score": (
        ['{"id": "a", "masks": [{"segmentation": null, "score": NaN}]}\n'],
        "p.jsonl:1, key 'masks[0].score': expected a finite number, NaN is not JSON",
    ),
    "infinite score": (
        ['{"id": "a", "masks": [{"segmentation": null, "score": -Infinity}]}\n'],
        "p.jsonl:1, key 'masks[0].score': expected a finite number, -Infinity is not JSON",
    ),
    "score of 1e999": (
        [json.dumps(answer("a")).replace("0.5", "1e999") + "\n"],
        "p.jsonl:1, key 'masks[0].score': expected a finite number in [0, 1], got inf",
    ),
    "score above one": (
        [answer("a"), answer("b", masks=[mask(), mask(score=1.25)])],
        "p.jsonl:2, key 'masks[1].score': expected a finite number in [0, 1], got 1.25",
    ),
    "score of words": ([answer("a", masks=[mask(score="1")])], "p.jsonl:1, key 'masks[0].score'"),
    "counts of another sum": (
        [answer("a"), answer("b", masks=[mask(segmentation=code("12"))])],
        "p.jsonl:2, key 'masks[0].segmentation': RLE counts: expected runs that sum to 6 x 8 = 48",
    ),
    "other alphabet": (
        [answer("a", masks=[mask(), mask(segmentation=code("~"))])],
        "p.jsonl:1, key 'masks[1].segmentation': RLE counts: expected characters from",
    ),
    "counts cut off": (
        [answer("a", fused=code("P"))],
        "p.jsonl:1, key 'fused': RLE counts: truncated",
    ),
    "negative run": (
        [answer("a", masks=[mask(segmentation=code("`1O1"))])],
        "p.jsonl:1, key 'masks[0].segmentation': RLE counts: expected run",
    ),
    "no pixels": (
        [answer("a", masks=[mask(segmentation=code("0", (0, 8)))])],
        "p.jsonl:1, key 'masks[0].segmentation': RLE size",
    ),
    "mask of another type": (
        [answer("a", masks=[mask(), mask(mask_type="amodal")])],
        "p.jsonl:1, key 'masks[1].mask_type': expected 'modal' as the rest of the group",
    ),
    "masks of two types": (
        [answer("a", mask_type=None, masks=[mask(mask_type="amodal"), mask(mask_type="modal")])],
        "p.jsonl:1, key 'masks[1].mask_type': expected 'amodal' as the rest of the group",
    ),
    "masks beside an error": (
        [answer("a", error="out of memory")],
        "p.jsonl:1, key 'error': expected null beside masks",
    ),
    "half a line": (
        [answer("a"), json.dumps(answer("b"))[:40]],
        "p.jsonl:2: the file ends in the middle of this line, as after a killed writer; finish "
        "the run with `askmask predict … --resume`, or leave the line out and score its query as "
        "empty with --allow-missing",
    ),
    "half a letter": (
        [answer("a"), '{"id": "b", "rationale": "\udcc3'],
        "p.jsonl:2: the file ends in the middle of this line",
    ),
    "half a line inside": (
        [json.dumps(answer("a"))[:40] + "\n", answer("b")],
        "p.jsonl:1: expected JSON",
    ),
    "an error in front comes first": (
        [answer("a", fused=code("1")), answer("b"), "{}\n"],
        "p.jsonl:1, key 'fused': RLE counts",
    ),
}


@pytest.mark.parametrize(("answers", "message"), BAD_ANSWERS.values(), ids=BAD_ANSWERS.keys())
def test_bad_predictions_are_named(score: Score, answers: list[Any], message: str) -> None:
    assert score(TWO, answers).error.startswith(message)


BAD_QUERIES: dict[str, tuple[list[Any], str]] = {
    "id twice": ([query("a"), query("b"), query("a")], "q.jsonl:3: 'a' is already in line 1"),
    "no id": ([query("a", id=None)], "q.jsonl:1, key 'id': expected a string, got None"),
    "id that is no text": ([query("\ud800")], "q.jsonl:1, key 'id': expected a string that UTF-8"),
    "size of a target": (
        [query("a"), query("b", targets=[{"segmentation": TURNED}])],
        "q.jsonl:2, key 'targets[0].segmentation': RLE size: expected [6, 8], got [8, 6]",
    ),
    "size of the ignored": ([query("a", ignore=TURNED)], "q.jsonl:1, key 'ignore': RLE size"),
    "counts of another sum": (
        [query("a", targets=[{"segmentation": code("12")}])],
        "q.jsonl:1, key 'targets[0].segmentation': RLE counts: expected runs that sum",
    ),
    "masks of two types": (
        [query("a", targets=[{"segmentation": CODE, "mask_type": "hidden"}])],
        "q.jsonl:1, key 'targets[0].mask_type': expected 'modal' as the rest of the group",
    ),
    "half a line": (
        [query("a"), json.dumps(query("b"))[:60]],
        "q.jsonl:2: the file ends in the middle of this line, as after a killed writer; make or",
    ),
}


@pytest.mark.parametrize(("queries", "message"), BAD_QUERIES.values(), ids=BAD_QUERIES.keys())
def test_bad_queries_are_named(score: Score, queries: list[Any], message: str) -> None:
    assert score(queries, [answer("a"), answer("b")]).error.startswith(message)


def test_good_input_passes(score: Score) -> None:
    found = score(TWO, [answer("a"), answer("b", masks=[mask(modal=CODE, mask_type="modal")])])
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out)["metrics"]["gIoU"]["value"] == 1


def test_missing_answers_are_scored_as_empty_ones_and_counted(score: Score) -> None:
    queries = [*TWO, query("c", targets=[])]
    found = score(queries, [answer("a")], "--allow-missing")
    missing = json.loads(found.out)
    assert (found.code, found.err, missing["missing"]) == (0, "", 2)
    assert "|missing:2|" in missing["metrics"]["gIoU"]["signature"]
    empty = json.loads(
        score(queries, [answer("a"), answer("b", masks=[]), answer("c", masks=[])]).out
    )
    assert empty["missing"] == 0
    for name in ("gIoU", "cIoU", "N-acc", "T-acc"):
        assert missing["metrics"][name]["value"] == empty["metrics"][name]["value"]


def test_half_a_line_is_left_out_with_a_warning_where_answers_may_miss(score: Score) -> None:
    found = score(TWO, [answer("a"), json.dumps(answer("b"))[:40]], "--allow-missing")
    assert (found.code, json.loads(found.out)["missing"]) == (0, 1)
    said = "askmask: warning: p.jsonl:2: the file ends in the middle of this line"
    assert found.err.startswith(said)
    assert found.err.endswith("; it is left out\n")


def test_results_of_another_code_are_scored(score: Score) -> None:
    Path("masks").mkdir()
    for name in "ab":
        Image.fromarray(MASK).save(f"masks/{name}.png")
    results = [{"image_id": name, "segmentation": CODE, "score": 0.5} for name in "ab"]
    Path("results.json").write_text(json.dumps(results))
    for path in ("masks", "results.json"):
        found = score(TWO, path)
        assert (found.code, found.err) == (0, "")
        assert json.loads(found.out)["metrics"]["gIoU"]["value"] == 1


def test_an_unknown_layout_is_a_wrong_command_line(score: Score) -> None:
    found = score(TWO, [], "--predictions-format", "pickle")
    assert (found.code, found.out) == (2, "")
    assert "png-instances" in found.err
