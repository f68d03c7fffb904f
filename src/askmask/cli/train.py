"""`askmask train`: run a committed recipe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from askmask.errors import MissingExtraError

__all__ = ["train"]


def train(
    recipe: Annotated[str, typer.Argument(help="Name of the recipe, e.g. embedded.")],
    out: Annotated[Path, typer.Option(help="Run folder: checkpoints, metrics.jsonl, weights.")],
    budget: Annotated[
        str | None,
        typer.Option(help="small, base, large, or training time or steps: 40m, 2h, '5000 steps'."),
    ] = None,
    renders: Annotated[
        list[Path] | None,
        typer.Option(help="Benchmark folder of rendered scenes to mix in; may be repeated."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Of hub: recipes: data set to learn from; may be repeated."),
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(help="Of hub: recipes: folder of the pictures, where the data has none."),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            metavar="SOURCE", help="Of hub: recipes: published model, a repository or a folder."
        ),
    ] = None,
    validate: Annotated[
        Path | None,
        typer.Option(
            help="Benchmark folder of rendered scenes to measure and calibrate on; of hub: recipes "
            "any data set."
        ),
    ] = None,
    image_from: Annotated[
        str | None,
        typer.Option(
            help="Keep the proposer of these weights and train only what reads sentences."
        ),
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="Start from the checkpoints in this run folder, e.g. on other data; of the "
            "embedded model also from finished weights, shipped ones or a folder."
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STAGE",
            help="Train this stage alone: proposer, selector or mask-type; may be repeated. The "
            "others are those of --start-from; without it, nothing is exported, only measured.",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Change the recipe, e.g. proposer.hidden_weight=0; may be repeated.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(help="Of a system's parameters and pictures; the recipe's own is 0."),
    ] = None,
    device: Annotated[
        str, typer.Option(help="Where to compute: auto (a GPU if there is one), cpu or cuda.")
    ] = "auto",
    precision: Annotated[
        str,
        typer.Option(
            help="Of the steps: float32, bfloat16 (where that is enough), or auto: by the device."
        ),
    ] = "auto",
    resume: Annotated[bool, typer.Option(help="Go on in the run folder.")] = False,
) -> None:
    """Train a model with a committed recipe and export its weights."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise MissingExtraError.of("torch", "train", "training") from error
    from askmask.training.recipes import train as run_recipe

    weights = run_recipe(
        recipe,
        out,
        budget=budget,
        renders=renders or (),
        data=data or (),
        images=images,
        base=base,
        validate=validate,
        image_from=image_from,
        start_from=start_from,
        only=only or (),
        settings=settings or (),
        seed=seed,
        resume=resume,
        device=device,
        precision=precision,
        say=lambda message: typer.echo(message, err=True),
    )
    if weights == out:
        typer.echo(f"measured, nothing exported: {out / 'run.json'}")
        return
    typer.echo(f"weights: {weights}")
    if any((weights / file).is_file() for file in ("completer.onnx", "amodal_sam.json")):
        typer.echo(f"try them: askmask complete IMAGE MASK --completer {weights}")
    elif (weights / "ras.json").is_file():
        model = f"embedded-v1+completer-v1+hub:ras={weights}"
        typer.echo(f"try them: askmask segment IMAGE TEXT --model {model}")
    else:
        typer.echo(f"try them: askmask segment IMAGE TEXT --model {weights}")
