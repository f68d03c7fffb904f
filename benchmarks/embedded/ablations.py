r"""What each choice in the embedded model is worth: the same short training with and without it.

    python benchmarks/embedded/ablations.py --train pantry/train --validate pantry/val \
        --out runs/ablations

Each row trains one stage alone from nothing (`askmask train --only`) or, for the number of
candidates, takes finished weights. All rows of a stage have the same budget and seed. Rows that
are finished are not trained again. The table goes to OUT/ablations.md.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from askmask.formats.files import write_json
from askmask.models.embedded.weights import EmbeddedWeights

RECIPE, WEIGHTS = "embedded", "embedded-v1"


class Trial(NamedTuple):
    """One training: its name, and what it changes in the recipe."""

    name: str
    settings: tuple[str, ...] = ()


class Study(NamedTuple):
    """Trials of one stage, and the measures they are compared by."""

    stage: str
    measures: tuple[str, ...]
    trials: tuple[Trial, ...]


_MASKS = ("modal", "amodal", "hidden", "amodal_of_modal")
_GROUPS = ("group", "one", "none", "some")

STUDIES = (
    Study(
        "proposer",
        tuple(measure + of for of in ("", ".val") for measure in _MASKS),
        (
            Trial("as it is"),
            Trial("stream alone", ("proposer.render_share=0",)),
            Trial("half renders", ("proposer.render_share=0.5",)),
            Trial("hidden region not weighted", ("proposer.hidden_weight=0",)),
            Trial("hidden region twice as heavy", ("proposer.hidden_weight=6",)),
        ),
    ),
    Study(
        "selector",
        tuple(f"{measure}.{of}" for of in ("train", "test", "val") for measure in _GROUPS),
        (
            Trial("as it is"),
            Trial("candidates do not see each other", ("config.comparative=false",)),
            Trial("steps of a sentence not learnt", ("selector.steps_weight=0",)),
        ),
    ),
    Study(
        "mask-type",
        ("type.train", "type.test", "type.val"),
        (
            Trial("four layers tuned"),
            Trial("text tower frozen", ("mask_type.learning_rate=0",)),
        ),
    ),
)
CANDIDATES = (8, 16, 24, 32, 48)


def askmask(*arguments: str | Path) -> None:
    """Run a command of askmask as a user does."""
    subprocess.run([sys.executable, "-m", "askmask", *map(str, arguments)], check=True)


def measured(
    study: Study, trial: Trial, options: argparse.Namespace, folder: Path
) -> dict[str, float]:
    """Train one stage alone and return what it measured."""
    arguments: list[str | Path] = ["train", RECIPE, "--only", study.stage, "--out", folder]
    arguments += ["--budget", options.budget, "--resume", "--device", options.device]
    arguments += ["--renders", options.train, "--validate", options.validate]
    if study.stage != "proposer":
        # All read the candidates of the same proposer, which are cached once.
        arguments += ["--image-from", options.model]
        folder.mkdir(parents=True, exist_ok=True)
        cache = options.out / "candidates"
        cache.mkdir(exist_ok=True)
        if not (folder / "candidates").exists():
            (folder / "candidates").symlink_to(cache.resolve())
    for setting in (f"selector.scenes={options.scenes}", *trial.settings):
        arguments += ["--set", setting]
    askmask(*arguments)
    found: dict[str, float] = json.loads((folder / "run.json").read_text())["held_out"]
    return found


def with_candidates(most: int, options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Decompose the answers of finished weights that keep at most so many candidates."""
    source, report = EmbeddedWeights(options.model), folder / "decompose.json"
    if not report.exists():
        weights = folder / "weights"
        shutil.copytree(source.folder, weights, dirs_exist_ok=True)
        config = json.loads((weights / "config.json").read_text())
        write_json(weights / "config.json", {**config, "max_candidates": most})
        EmbeddedWeights(str(weights)).seal()
        queries = next(options.validate.glob("queries-*.jsonl"))
        askmask("decompose", queries, "--model", weights, "--out", report)
    found: dict[str, Any] = json.loads(report.read_text())["oracles"]
    return found


def study_table(study: Study, options: argparse.Namespace) -> list[str]:
    """One row a trial."""
    lines = ["| " + " | ".join((study.stage, *study.measures)) + " |"]
    lines.append("|" + "---|" * (1 + len(study.measures)))
    for trial in study.trials:
        folder = options.out / study.stage / trial.name.replace(" ", "-")
        found = measured(study, trial, options, folder)
        values = (f"{found[name]:.3f}" if name in found else "-" for name in study.measures)
        lines.append("| " + " | ".join((trial.name, *values)) + " |")
    return lines


def candidates_table(options: argparse.Namespace) -> list[str]:
    """One row a number of candidates."""
    lines = [f"| candidates of {options.model}, at most | gIoU | ceiling |", "|---|---|---|"]
    for most in CANDIDATES:
        found = with_candidates(most, options, options.out / "candidates-at-most" / str(most))
        gious = (found[name]["gIoU"]["value"] for name in ("as answered", "type+selection"))
        lines.append(f"| {most} | " + " | ".join(f"{value:.3f}" for value in gious) + " |")
    return lines


def main() -> None:
    """Train what is missing and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="rendered scenes to learn from")
    parser.add_argument("--validate", type=Path, required=True, help="rendered scenes held out")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default=WEIGHTS, help="weights whose proposer the others read")
    parser.add_argument("--budget", default="8m", help="of each training")
    parser.add_argument("--scenes", type=int, default=4000, help="composed scenes for the selector")
    parser.add_argument("--device", default="auto")
    parser.add_argument(
        "--studies", default=",".join([*(study.stage for study in STUDIES), "candidates"])
    )
    options = parser.parse_args()
    wanted = options.studies.split(",")
    options.out.mkdir(parents=True, exist_ok=True)
    tables = [study_table(study, options) for study in STUDIES if study.stage in wanted]
    if "candidates" in wanted:
        tables.append(candidates_table(options))
    text = "\n\n".join("\n".join(lines) for lines in tables) + "\n"
    (options.out / "ablations.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
