"""The writers behind servers, against a local server that speaks the real wire formats."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fake_llm_server import FakeServer

from askmask.authoring.author import Authoring, Outcome
from askmask.authoring.looking import LookingWriter
from askmask.authoring.source import Source
from askmask.authoring.writer import BatchWriter, Writer
from askmask.errors import ConfigError, LLMError, OutputError
from askmask.formats.askmask import read_queries
from askmask.formats.files import iter_jsonl
from askmask.llm.chat import Price
from askmask.llm.openai_server import OpenAIServer
from askmask.llm.patience import Patience

QUICK = Patience(tries=4, first_wait=0.01)
KINDS = ("openai", "anthropic", "anthropic-batch")
SINGLE = KINDS[:2]


def make(kind: str, server: FakeServer) -> Writer | BatchWriter:
    if kind == "openai":
        return LookingWriter(OpenAIServer("tiny", server.url + "/v1", patience=QUICK))
    pytest.importorskip("anthropic")
    from askmask.authoring.anthropic_batches import AnthropicBatches
    from askmask.llm.anthropic_api import AnthropicMessages

    if kind == "anthropic":
        return LookingWriter(AnthropicMessages("tiny", base_url=server.url, patience=QUICK))
    return AnthropicBatches("tiny", base_url=server.url, patience=QUICK)


def run(kind: str, server: FakeServer, source: Path, *, resume: bool = False, **options) -> Outcome:
    out = source.parent.parent / "out"
    pictures = Source((source,), out)
    authoring = Authoring(
        pictures, make(kind, server), out, "toy", poll_seconds=0.01, workers=2, **options
    )
    return authoring.run(resume=resume)


def written(source: Path) -> dict[str, bytes]:
    """The files that a run leaves, without its journal."""
    out = source.parent.parent / "out"
    return {
        path.name: path.read_bytes()
        for path in sorted(out.iterdir())
        if not path.name.startswith("journal")
    }


@pytest.mark.parametrize("kind", KINDS)
def test_replies_become_queries_and_a_report(kind: str, server: FakeServer, source: Path) -> None:
    outcome = run(kind, server, source)
    out = source.parent.parent / "out"
    queries = list(read_queries(out / "queries-val.jsonl"))
    assert outcome.statistics.queries == {"modal": 18, "amodal": 5}
    assert outcome.statistics.dropped == {
        "duplicate": 6,
        "unknown id": 6,
        "class name": 6,
        "amodal without an occluded target": 6,
        "bad format": 6,
    }
    assert len({query.id for query in queries}) == len(queries) == 23
    first = queries[0]
    assert (out / first.image).resolve() == (source.parent / "images/000.png").resolve()
    assert [target.entity for target in first.targets] == [11]
    assert f"writer:{kind.removesuffix('-batch')}/tiny" in first.tags
    amodal = next(query for query in queries if query.mask_type == "amodal")
    assert amodal.targets[0].segmentation != amodal.targets[0].modal
    assert set(server.billed.values()) == {1}
    assert len(server.billed) == 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("faults", [["429", "529", "429-date"], ["", "429", "529", "429"]])
def test_a_busy_server_is_asked_again(
    kind: str, faults: list[str], server: FakeServer, source: Path
) -> None:
    server.faults = list(faults)
    run(kind, server, source)
    assert not server.faults
    assert set(server.billed.values()) == {1}
    assert sum(server.billed.values()) == 6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["truncated", "garbage", "500"])
def test_a_broken_answer_is_not_taken(
    kind: str, fault: str, server: FakeServer, source: Path
) -> None:
    server.faults = [fault]
    outcome = run(kind, server, source)
    assert outcome.statistics.queries.total() == 23
    assert set(server.billed.values()) == {1}
    assert sum(server.billed.values()) == 6


def test_a_lost_hand_in_is_found_by_listing(server: FakeServer, source: Path) -> None:
    make("anthropic-batch", server)
    # Batches of somebody else, of the same size or not, must not be taken for ours.
    run("anthropic-batch", server, source)
    server.batches["msgbatch_000"]["requests"][0]["custom_id"] = "somebody-else"
    first = {**server.batches["msgbatch_000"]}
    for path in (source.parent.parent / "out").iterdir():
        path.unlink()
    server.billed.clear()
    server.faults = ["truncated"]
    for request in first["requests"]:
        request["custom_id"] = "x" + request["custom_id"][1:]
    run("anthropic-batch", server, source)
    assert len(server.batches) == 2
    assert set(server.billed.values()) == {1}


def test_results_that_break_off_are_read_again(server: FakeServer, source: Path) -> None:
    server.results_faults = ["truncated", "truncated"]
    assert run("anthropic-batch", server, source).statistics.queries.total() == 23
    assert not server.results_faults
    assert len(server.batches) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_a_refused_request_fails_alone(kind: str, server: FakeServer, source: Path) -> None:
    server.refused = "nothing here is hidden"
    outcome = run(kind, server, source)
    assert outcome.statistics.dropped["request failed"] == 1
    assert outcome.statistics.queries["modal"] == 15
    dropped = [row for _, row in iter_jsonl(source.parent.parent / "out/dropped-val.jsonl")]
    failed = next(row for row in dropped if row["reason"] == "request failed")
    assert "refused as told" in failed["detail"]
    server.refused = "@@ in no message @@"
    assert run(kind, server, source, resume=True).statistics.queries["modal"] == 18


@pytest.mark.parametrize("kind", SINGLE)
def test_a_server_that_stays_away_ends_the_run_and_keeps_what_was_paid(
    kind: str, server: FakeServer, source: Path
) -> None:
    server.faults = ["", "", *["500"] * 40]
    with pytest.raises(LLMError, match="gave up after 4 tries"):
        run(kind, server, source)
    paid = dict(server.billed)
    assert paid
    server.faults = []
    with pytest.raises(OutputError, match="--resume"):
        run(kind, server, source)
    assert run(kind, server, source, resume=True).statistics.queries.total() == 23
    assert set(server.billed.values()) == {1}
    assert paid.items() <= server.billed.items()


@pytest.mark.parametrize("kind", KINDS)
def test_the_budget_holds_and_a_larger_one_goes_on(
    kind: str, server: FakeServer, source: Path
) -> None:
    price = Price(3, 15)
    # A request may cost nearly six cents; the replies cost far less.
    poor = run(kind, server, source, price=price, budget=0.07)
    assert 0 < poor.not_asked < 6
    assert poor.dollars is not None
    assert 0 < poor.dollars <= 0.07
    rich = run(kind, server, source, price=price, budget=5.0, resume=True)
    assert rich.not_asked == 0
    usual = (500 + 0.1 * 500) * 3 + 100 * 15 if kind != "openai" else 1_000 * 3 + 100 * 15
    assert rich.dollars == pytest.approx(6 * usual / 1e6)
    assert set(server.billed.values()) == {1}


def test_no_budget_asks_nothing(server: FakeServer, source: Path) -> None:
    outcome = run("openai", server, source, price=Price(3, 15), budget=0.0)
    assert outcome.not_asked == 6
    assert server.calls == []
    assert outcome.statistics.dropped == {"not asked": 6}


def test_a_budget_needs_a_price(server: FakeServer, source: Path) -> None:
    with pytest.raises(ConfigError, match="--price"):
        run("openai", server, source, budget=1.0)


def test_a_finished_run_asks_nothing_more(server: FakeServer, source: Path) -> None:
    run("openai", server, source)
    before, calls = written(source), len(server.calls)
    run("openai", server, source, resume=True)
    assert written(source) == before
    assert len(server.calls) == calls


def test_a_journal_of_other_requests_is_not_continued(server: FakeServer, source: Path) -> None:
    run("openai", server, source)
    with pytest.raises(ConfigError, match="other requests"):
        run("openai", server, source, resume=True, per_type=4)


def test_a_broken_picture_fails_alone(server: FakeServer, source: Path) -> None:
    (source.parent / "images/001.png").write_bytes(b"no picture")
    outcome = run("openai", server, source)
    assert outcome.statistics.dropped["request failed"] == 1
    assert len(server.billed) == 5


def test_a_missing_model_is_told_at_once(server: FakeServer, source: Path) -> None:
    out = source.parent.parent / "out"
    nowhere = LookingWriter(OpenAIServer("tiny", server.url + "/nowhere", patience=QUICK))
    with pytest.raises(LLMError, match=r"answered 404.*--model"):
        Authoring(Source((source,), out), nowhere, out, "toy").run()


@pytest.fixture(autouse=True)
def _no_leftovers(server: FakeServer) -> Iterator[None]:
    yield
    assert all(call.split()[1].startswith("/v1/") or "nowhere" in call for call in server.calls)
