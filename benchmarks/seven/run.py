r"""Train, predict, evaluate and measure rows of the study: those that `--rows` names, or all.

    python benchmarks/seven/run.py --rows lisa,lisa-dagger --budget 10m --seeds 0,1,2 \
        --queries pantry/test/queries-test.jsonl --out runs/seven

A row that is finished is skipped, but for blind answers that it lacks; one that was interrupted
goes on. Rows with "-dagger" start from their base row with the first seed, which is trained first
where it is missing.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rows import Budget, Row, default_rows, parse_row

from askmask.errors import AskmaskError, ConfigError
from askmask.formats.askmask import read_predictions, read_queries
from askmask.formats.files import file_sha256, read_json, write_json
from askmask.metrics import evaluate
from askmask.models import registry
from askmask.models.segmenter import Segmenter
from askmask.models.system_weights import build_system, load_system, save_system
from askmask.pantry.splits.sgdr import SGDR_TAG
from askmask.runs.predict import predict
from askmask.training.recipes import train
from askmask.types import Answer, Query

__all__ = ["Study", "main"]

_HASH_DIGITS = 12
"""Digits of the queries' hash in signatures, as `askmask evaluate` writes them."""

_MAX_BYTES = 1_000_000

_QUERIES = Path("pantry/test/queries-test.jsonl")
"""Where `askmask build pantry --split test --out pantry/test` puts them."""


@dataclass(frozen=True)
class Study:
    """What all rows share.

    Attributes:
        out: folder of all rows.
        queries: what is predicted.
        budget: of every training.
        seeds: of the trainings; base rows have the first one only.
        image_from: embedded weights whose proposer gives eyes and candidates.
        blind: whether every row also answers without seeing, to know what the words alone give.
        pictures: on which the cost is measured.
        device: where the training steps compute.
        precision: in which they do.
    """

    out: Path
    queries: Path
    budget: Budget
    seeds: tuple[int, ...] = (0,)
    image_from: str | None = None
    blind: bool = False
    pictures: int = 20
    device: str = "auto"
    precision: str = "auto"

    def run(self, rows: Sequence[Row], command: str) -> None:
        """Bring all rows to their end, then measure what every row in `out` costs."""
        for row in rows:
            for seed in self.seeds if row.dagger else self.seeds[:1]:
                self._finish(row, seed, command)
        self.measure_costs()

    def _finish(self, row: Row, seed: int, command: str) -> None:
        """Train, predict and evaluate a row, each unless that is done."""
        folder = row.folder(self.out, seed)
        if self._is_finished(row, seed):
            _say(f"{folder}: finished already")
        else:
            weights = self._weights(row, seed)
            self._answer(registry.load(weights), folder / "test")
            said = {"made_by": self._made_by(row, seed), "command": command, "model": weights}
            write_json(folder / "row.json", {**said, **self._training(row, seed)})
        if self.blind and not (folder / "blind" / "metrics-sgdr.json").is_file():
            model = read_json(folder / "row.json", _MAX_BYTES)["model"]
            self._answer(_Blind(registry.load(model)), folder / "blind")

    def _is_finished(self, row: Row, seed: int) -> bool:
        """Whether a row is finished.

        Raises:
            ConfigError: when it was made otherwise.
        """
        folder = row.folder(self.out, seed)
        if not (folder / "row.json").is_file():
            return False
        made_by = self._made_by(row, seed)
        before = read_json(folder / "row.json", _MAX_BYTES)["made_by"]
        if before != made_by:
            changed = sorted(key for key in made_by if before.get(key) != made_by[key])
            raise ConfigError(
                f"{folder}: was made with other values of {', '.join(changed)}; "
                "choose another --out, or remove the folder"
            )
        return True

    def _made_by(self, row: Row, seed: int) -> dict[str, Any]:
        return {
            "row": row.name,
            "seed": seed,
            "budget": self.budget.name if row.trained else None,
            "image_from": self.image_from if row.trained else None,
            "precision": self.precision if row.trained else None,
            "queries": file_sha256(self.queries),
        }

    def _weights(self, row: Row, seed: int) -> str:
        """Name or folder of a row's weights, trained now where they are missing."""
        if not row.trained:
            return row.system
        trained = self._trained(row.weights_of, seed)
        if not row.answers_otherwise:
            return str(trained)
        return str(_with_options(trained, row, row.folder(self.out, seed) / "weights"))

    def _trained(self, row: Row, seed: int) -> Path:
        """Folder of the weights of a training."""
        folder = row.folder(self.out, seed) / "train"
        if (folder / "run.json").is_file():  # written last
            return folder / "weights"
        start = None
        if row.base is not None:
            self._trained(row.base, self.seeds[0])
            start = row.base.folder(self.out, self.seeds[0]) / "train"
        _say(f"{folder}: training, {self.budget.name}")
        return train(
            row.recipe(self.budget),
            folder,
            budget=self.budget.length,
            image_from=self.image_from,
            start_from=start,
            settings=row.settings,
            seed=seed,
            resume=True,
            device=self.device,
            precision=self.precision,
            say=_say,
        )

    def _answer(self, segmenter: Segmenter, folder: Path) -> None:
        """Predict and evaluate: metrics.json, and metrics-sgdr.json of what needs the picture."""
        _say(f"{folder}: predicting {self.queries}")
        end = predict(segmenter, self.queries, folder, resume=True)
        if end.failed:
            _say(f"{folder}: {end.failed:,} of {end.total:,} failed, see errors.jsonl")
        data = file_sha256(self.queries)[:_HASH_DIGITS]
        queries, answers = (
            read_queries(self.queries),
            read_predictions(folder / "predictions.jsonl"),
        )
        write_json(folder / "metrics.json", evaluate(queries, answers, data=data).to_json())
        hard = [query for query in read_queries(self.queries) if SGDR_TAG in query.tags]
        ids = {query.id for query in hard}
        found = read_predictions(folder / "predictions.jsonl")
        report = evaluate(hard, (answer for answer in found if answer.id in ids), data=data)
        write_json(folder / "metrics-sgdr.json", report.to_json())

    def _training(self, row: Row, seed: int) -> dict[str, Any]:
        """What the training of a row took: steps, seconds, sentences a second."""
        if not row.trained:
            return {"training": None}
        folder = row.weights_of.folder(self.out, seed) / "train"
        made = read_json(folder / "run.json", _MAX_BYTES)
        log = (folder / "training" / "metrics.jsonl").read_text("utf-8").splitlines()
        last = json.loads(log[-1]) if log else {"step": 0, "seconds": 0.0}
        # As many as a batch may hold; a picture about which less can be asked has fewer.
        sentences = last["step"] * made["recipe"]["pictures"] * made["recipe"]["sentences"]
        seconds = last["seconds"]
        return {
            "training": {
                "recipe": made["recipe"],
                "parameters": made["parameters"],
                "sha256": made["sha256"],
                "steps": last["step"],
                "seconds": seconds,
                "samples": sentences,
                "samples_per_second": sentences / seconds if seconds else None,
                "held_out": made["held_out"],
            }
        }

    def measure_costs(self) -> None:
        """Measure all finished rows one after the other, each in its own process: cost.json.

        A row whose weights are not there, as in an unpacked archive, keeps what was measured.
        """
        kept = self.out / "cost.json"
        before = read_json(kept, _MAX_BYTES) if kept.is_file() else {}
        costs: dict[str, Any] = {}
        for done in sorted(self.out.glob("*/seed-*/row.json")):
            said = read_json(done, _MAX_BYTES)
            name = said["made_by"]["row"]
            if name in costs:  # another seed costs the same
                continue
            if said["training"] is not None and not Path(said["model"]).is_dir():
                _say(f"{done.parent}: no weights in {said['model']}, so its cost is not measured")
                if name in before:
                    costs[name] = before[name]
                continue
            _say(f"{done.parent}: measuring the cost")
            command = [sys.executable, str(Path(__file__).with_name("cost.py")), said["model"]]
            command += [str(self.queries), "--pictures", str(self.pictures)]
            command += ["--precision", self.precision]
            told = subprocess.run(command, check=True, capture_output=True, text=True)
            costs[name] = json.loads(told.stdout)
        write_json(kept, costs)


def _with_options(weights: Path, row: Row, folder: Path) -> Path:
    """Write the same weights with other options; the bars stay, so that one thing changes."""
    system, pool = load_system(weights)
    size = read_json(weights / "system.json", _MAX_BYTES)["size"]
    changed = build_system(row.system, size, {**system.options(), **dict(row.options)})
    changed.load_state_dict(system.state_dict())
    changed.bars = system.bars
    folder.mkdir(parents=True, exist_ok=True)
    save_system(changed, size, folder, pool)
    return folder


class _Blind:
    """A model that is shown a grey picture of the same size."""

    def __init__(self, segmenter: Segmenter) -> None:
        self._segmenter = segmenter
        self.model_id, self.weights_hash = f"{segmenter.model_id} (blind)", segmenter.weights_hash

    def set_image(self, image: NDArray[np.uint8]) -> None:
        """Keep the size, and nothing else."""
        self._segmenter.set_image(np.full_like(image, 127))

    def answer(self, query: Query | str) -> Answer:
        """Answer from the words alone."""
        return self._segmenter.answer(query)


def _say(message: str) -> None:
    sys.stderr.write(message + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the study; returns the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", help="separated by spaces or commas [default: all]", nargs="+")
    parser.add_argument("--budget", default="30m", help="e.g. 10m, 5000 steps, large or smoke")
    parser.add_argument("--seeds", default="0", help="e.g. 0,1,2; base rows have the first")
    parser.add_argument(
        "--queries", type=Path, default=_QUERIES, help=f"what is predicted [default: {_QUERIES}]"
    )
    parser.add_argument("--out", type=Path, default=Path("runs/seven"))
    parser.add_argument("--image-from", help="embedded weights that give the eyes")
    parser.add_argument("--blind", action="store_true", help="also answer without the picture")
    parser.add_argument("--pictures", type=int, default=20, help="on which cost is measured")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--precision", default="auto", help="as of askmask train")
    given = parser.parse_args(arguments)
    command = shlex.join(["python", "benchmarks/seven/run.py", *(arguments or sys.argv[1:])])
    try:
        rows = [parse_row(name) for name in _split(given.rows)] or default_rows()
        study = Study(
            given.out,
            given.queries,
            Budget(given.budget),
            tuple(int(seed) for seed in given.seeds.split(",")),
            given.image_from,
            given.blind,
            given.pictures,
            given.device,
            given.precision,
        )
        study.run(rows, command)
    except AskmaskError as error:
        _say(f"error: {error}")
        return 1
    return 0


def _split(rows: Sequence[str] | None) -> list[str]:
    """Names between commas; a comma inside of options belongs to them."""
    names: list[str] = []
    for part in ",".join(rows or ()).split(","):
        if names and "+" in names[-1] and "=" in part and "+" not in part:
            names[-1] += f",{part}"
        elif part:
            names.append(part)
    return names


if __name__ == "__main__":
    sys.exit(main())
