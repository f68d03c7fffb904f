"""`askmask author`: write queries in the manner of R2SM about pictures with amodal annotations."""

from __future__ import annotations

import json
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from askmask.cli.placement import parse_price
from askmask.cli.progress import progress_bar
from askmask.errors import ConfigError

if TYPE_CHECKING:
    from askmask.authoring.author import Outcome
    from askmask.authoring.cost import Estimate
    from askmask.authoring.writer import BatchWriter, Writer

__all__ = ["author"]

_BATCH_DISCOUNT = 0.5


class _Format(StrEnum):
    AUTO = "auto"
    ASKMASK = "askmask"
    COCOA = "cocoa"
    COCO = "coco"


class _Writer(StrEnum):
    GRAMMAR = "grammar"
    OPENAI = "openai"
    ANTHROPIC = "anthropic"
    ANTHROPIC_BATCH = "anthropic-batch"


class _Pool(StrEnum):
    TRAIN = "train"
    TEST = "test"


def author(
    sources: Annotated[
        list[Path],
        typer.Argument(
            metavar="SOURCE…", help="Annotations: askmask entities, COCOA, or COCO-style JSON."
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Benchmark folder to write.")],
    images: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the annotated pictures.")
    ] = None,
    source_format: Annotated[
        _Format, typer.Option("--format", help="coco: COCOA-cls, D2SA, KINS, MUVA and the like.")
    ] = _Format.AUTO,
    name: Annotated[str | None, typer.Option(help="Benchmark name; default: DIR's.")] = None,
    split: Annotated[str, typer.Option(help="Name of the split.")] = "val",
    writer: Annotated[
        _Writer, typer.Option(help="Who writes; grammar is offline and free.")
    ] = _Writer.GRAMMAR,
    model: Annotated[
        str | None, typer.Option(metavar="ID", help="Model, as its server calls it.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Server, e.g. http://localhost:8000/v1.")
    ] = None,
    per_type: Annotated[
        int, typer.Option(min=1, max=50, help="Modal, and amodal, queries a picture.")
    ] = 5,
    limit: Annotated[int | None, typer.Option(min=1, help="First pictures only.")] = None,
    pool: Annotated[_Pool, typer.Option(help="Wordings of the grammar.")] = _Pool.TEST,
    seed: Annotated[int, typer.Option(min=0, help="Of the grammar.")] = 0,
    price: Annotated[
        str | None,
        typer.Option(metavar="IN,OUT", help="Dollars a million input and output tokens."),
    ] = None,
    budget: Annotated[
        float | None, typer.Option(min=0, help="Dollars at most; needs --price.")
    ] = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Requests at the same time.")] = 4,
    poll: Annotated[float, typer.Option(min=0.01, help="Seconds between looks at a batch.")] = 30.0,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Print what it would cost and stop.")
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in DIR.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Write modal and amodal queries about the pictures of SOURCE, as R2SM was made."""
    from askmask.authoring.author import Authoring
    from askmask.authoring.source import Source

    files = tuple(sources)
    authoring = Authoring(
        pictures=Source(files, out, images, source_format.value, limit),
        writer=_writer(writer, model, base_url, pool, seed),
        out=out,
        name=name or out.resolve().name,
        split=split,
        per_type=per_type,
        price=parse_price(price, _BATCH_DISCOUNT if writer is _Writer.ANTHROPIC_BATCH else 1.0),
        budget=budget,
        workers=workers,
        poll_seconds=poll,
    )
    expected = None
    if estimate or writer is not _Writer.GRAMMAR:
        expected = authoring.estimate()
        typer.echo(_described(expected), err=not estimate or as_json)
    if estimate:
        if as_json and expected is not None:
            typer.echo(json.dumps(vars(expected)))
        return
    answers = count(1)
    with progress_bar("replies", expected.requests if expected else None) as progress:
        outcome = authoring.run(resume=resume, answered=lambda: progress(next(answers)))
    _report(outcome, split, out, as_json=as_json)


def _writer(
    kind: _Writer, model: str | None, base_url: str | None, pool: _Pool, seed: int
) -> Writer | BatchWriter:
    """Make the writer; only the chosen one is imported."""
    if kind is _Writer.GRAMMAR:
        from askmask.authoring.grammar import GrammarWriter

        return GrammarWriter(pool=pool.value, seed=seed)
    if model is None:
        raise ConfigError(f"--writer {kind} needs a model: say --model ID")
    from askmask.authoring.looking import LookingWriter

    if kind is _Writer.OPENAI:
        from askmask.llm.openai_server import OpenAIServer

        if base_url is None:
            raise ConfigError("--writer openai needs a server: say --base-url URL")
        return LookingWriter(OpenAIServer(model, base_url))
    if kind is _Writer.ANTHROPIC:
        from askmask.llm.anthropic_api import AnthropicMessages

        return LookingWriter(AnthropicMessages(model, base_url=base_url))
    from askmask.authoring.anthropic_batches import AnthropicBatches

    return AnthropicBatches(model, base_url=base_url)


def _described(expected: Estimate) -> str:
    dollars = "" if expected.dollars is None else f", about ${expected.dollars:,.2f}"
    return (
        f"{expected.requests:,} requests, about {expected.input_tokens:,} input and "
        f"{expected.output_tokens:,} output tokens{dollars}"
    )


def _report(outcome: Outcome, split: str, out: Path, *, as_json: bool) -> None:
    """Print what was made, and on stderr what the user may want to do about the rest."""
    made = sum(outcome.statistics.queries.values())
    if outcome.not_asked:
        typer.echo(
            f"the budget did not reach {outcome.not_asked:,} pictures: continue with --resume and"
            " a larger --budget",
            err=True,
        )
    if outcome.in_doubt:
        typer.echo(
            f"{outcome.in_doubt:,} requests were out when the last run was killed; they were asked"
            " again, and may have been charged twice",
            err=True,
        )
    if as_json:
        counts = outcome.statistics.to_json()
        content = {"out": str(out), "split": split, **counts, "dollars": outcome.dollars}
        typer.echo(json.dumps({**content, "not_asked": outcome.not_asked}))
    else:
        typer.echo(outcome.statistics.table(split))
        if outcome.dollars is not None:
            typer.echo(f"spent: ${outcome.dollars:,.2f}")
        typer.echo(str(out / f"queries-{split}.jsonl"))
    if not made:
        raise typer.Exit(1)
