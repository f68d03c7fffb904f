"""The whole way with the offline writer, and the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fake_llm_server import FakeServer
from shared_material import SHARED
from toy_annotations import write_source

from askmask import rle
from askmask.authoring.author import Authoring
from askmask.authoring.grammar import GrammarWriter
from askmask.authoring.source import Source
from askmask.cli.main import main
from askmask.errors import ConfigError, DataError
from askmask.formats.askmask import read_dataset_json, read_entities, read_queries
from askmask.types import MaskType


def authoring(source: Path, out: Path, **options) -> Authoring:
    return Authoring(Source((source,), out), GrammarWriter(), out, "toy", **options)


def files(out: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in out.iterdir()}


def test_the_grammar_makes_a_benchmark(source: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    outcome = authoring(source, out).run()
    queries = list(read_queries(out / "queries-val.jsonl"))
    assert outcome.statistics.queries == {"modal": 30, "amodal": 25}
    assert len(queries) == 55
    entities = {
        record.image: {one.id: one for one in record.entities}
        for record in read_entities(out / "entities-val.jsonl")
    }
    for query in queries:
        assert (out / query.image).is_file()
        for target in query.targets:
            entity = entities[query.image][target.entity]
            amodal = query.mask_type is MaskType.AMODAL
            assert target.segmentation == (entity.amodal if amodal else entity.modal)
    assert read_dataset_json(out)["splits"]["val"] == {"images": 6, "queries": 55}
    report = json.loads((out / "authoring-val.json").read_text())
    assert (report["images"], report["instances"]) == (6, 18)
    assert (report["occluded_instances"], report["occluded_instances_not_asked_for"]) == (5, 0)


def test_twice_the_same_bytes_and_other_bytes_for_another_seed(
    source: Path, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        authoring(source, tmp_path / name).run()
    assert files(tmp_path / "one") == files(tmp_path / "two")
    other = Authoring(Source((source,), tmp_path), GrammarWriter(seed=1), tmp_path / "three", "toy")
    other.run()
    assert files(tmp_path / "three") != files(tmp_path / "one")


def test_queries_may_lie_beside_the_entities_they_are_about(source: Path) -> None:
    before = source.read_bytes()
    authoring(source, source.parent).run()
    assert source.read_bytes() == before
    queries = list(read_queries(source.parent / "queries-val.jsonl"))
    assert queries[0].image == "images/000.png"
    assert queries[0].id == "000#0"


def test_a_picture_that_comes_twice_is_refused(source: Path, tmp_path: Path) -> None:
    twice = Authoring(Source((source, source), tmp_path), GrammarWriter(), tmp_path / "o", "toy")
    with pytest.raises(DataError, match="already in"):
        twice.run()


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr("sys.argv", ["askmask", "author", *map(str, arguments)])
    with pytest.raises(SystemExit) as left:
        main()
    return int(left.value.code or 0)


def test_the_command_prints_table_1(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert call(monkeypatch, source, "--out", tmp_path / "out") == 0
    out = capsys.readouterr().out
    assert "Split         # images  # instances    amodal     modal" in out
    assert "val                  6           18        25        30" in out
    assert "occluded instances asked for: 5 of 5" in out


def test_the_command_speaks_json(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    assert call(monkeypatch, source, "--out", tmp_path / "out", "--per-type", 2, "--json") == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["queries"] == {"modal": 12, "amodal": 10}
    assert printed["dropped"]["duplicate"] == 0


def test_the_command_asks_a_server(
    source: Path, tmp_path: Path, server: FakeServer, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    where = ("--writer", "openai", "--model", "tiny", "--base-url", server.url + "/v1")
    paying = (*where, "--price", "3,15", "--budget", "5", "--out", tmp_path / "out")
    assert call(monkeypatch, source, *paying, "--estimate") == 0
    assert server.calls == []
    assert not (tmp_path / "out").exists()
    assert "6 requests, about" in capsys.readouterr().out
    assert call(monkeypatch, source, *paying) == 0
    printed = capsys.readouterr()
    assert "6 requests, about" in printed.err
    assert "dropped, class name: 6" in printed.out
    assert "spent: $0.03" in printed.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--writer", "openai"], "say --model"),
        (["--writer", "openai", "--model", "m"], "say --base-url"),
        (["--writer", "openai", "--model", "m", "--base-url", "nowhere"], "base URL"),
        (["--price", "three"], "--price: expected dollars"),
        (["--price", "-1,2"], "--price: expected dollars"),
        (["--budget", "3"], "say --price"),
    ],
)
def test_wrong_options_are_explained(
    arguments: list[str], message: str, source: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    assert call(monkeypatch, source, "--out", tmp_path / "out", *arguments) == 1
    assert message in capsys.readouterr().err


def test_a_model_must_see_the_pictures(tmp_path: Path, server: FakeServer) -> None:
    from askmask.authoring.looking import LookingWriter
    from askmask.llm.openai_server import OpenAIServer

    writer = LookingWriter(OpenAIServer("tiny", server.url + "/v1"))
    source = write_source(tmp_path / "source")
    (tmp_path / "source/images/003.png").unlink()
    with pytest.raises(DataError, match=r"003\.png"):
        Authoring(Source((source,), tmp_path), writer, tmp_path / "out", "toy").run()
    assert server.calls == []
    cocoa = tmp_path / "one.json"
    square = [10, 10, 60, 10, 60, 60, 10, 60]
    region = {"segmentation": square, "name": "cup", "order": 1}
    image = {"id": 1, "file_name": "one.jpg", "height": 96, "width": 128}
    one = {"image_id": 1, "regions": [region]}
    cocoa.write_text(json.dumps({"images": [image], "annotations": [one]}))
    with pytest.raises(ConfigError, match="say --images"):
        Authoring(Source((cocoa,), tmp_path), writer, tmp_path / "out2", "toy").run()


REAL = SHARED / "real"


@pytest.mark.skipif(not REAL.is_dir(), reason="no real annotations beside the checkout")
def test_real_annotations(tmp_path: Path) -> None:
    paths = (
        REAL / "cocoa_cls/cocoa_mini_test.json",
        *sorted((REAL / "cocoa_native").glob("*.json")),
    )
    out = tmp_path / "out"
    outcome = Authoring(Source(paths, out), GrammarWriter(), out, "cocoa").run()
    assert outcome.statistics.images == 103
    assert outcome.statistics.queries["amodal"] == 5 * 103
    assert outcome.statistics.queries["modal"] > 5 * 103 * 0.98
    assert outcome.statistics.unasked <= 2
    assert outcome.statistics.dropped.total() == 0
    for query in read_queries(out / "queries-val.jsonl"):
        assert query.targets
        assert all(rle.area(target.segmentation) >= 100 for target in query.targets)
