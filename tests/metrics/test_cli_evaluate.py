"""`askmask evaluate`: what it prints where, and how it ends."""

import json
import sys
from pathlib import Path

import pytest
from records import make_query, perfect, rows

from askmask.cli.main import main
from askmask.formats.askmask import write_predictions, write_queries
from askmask.metrics import PROTOCOLS

QUERIES = [
    make_query("a", [rows(0, 4)], tags=["reasoning:spatial"]),
    make_query("b", [rows(0, 8)], mask_type="amodal", modal=[rows(0, 4)], tags=["twin:a"]),
    make_query("c"),
]


@pytest.fixture
def askmask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the command in a folder with queries and perfect predictions."""
    write_queries(tmp_path / "queries.jsonl", QUERIES)
    write_predictions(tmp_path / "predictions.jsonl", [perfect(query) for query in QUERIES])
    monkeypatch.chdir(tmp_path)

    def run(*options: str) -> tuple[int, str, str]:
        command = ["evaluate", "predictions.jsonl", "--against", "queries.jsonl", *options]
        monkeypatch.setattr(sys, "argv", ["askmask", *command])
        with pytest.raises(SystemExit) as end:
            main()
        return int(end.value.code or 0), *capsys.readouterr()

    return run


def test_tables_show_every_figure_and_slice(askmask) -> None:
    code, out, err = askmask()
    assert (code, err) == (0, "")
    for text in [
        *PROTOCOLS["select"].metrics,
        "mask_type=amodal",
        "reasoning=spatial",
        "targets=0",
    ]:
        assert text in out
    assert "gIoU|protocol:select|empty:1|reject:area|n:3|data:" in out


def test_json_stands_alone_on_stdout(askmask) -> None:
    code, out, err = askmask("--json", "--protocol", "r2sm")
    report = json.loads(out)
    assert (code, err) == (0, "")
    assert (report["protocol"], report["n"]) == ("r2sm", 3)
    assert report["metrics"]["gIoU"]["value"] == 1.0
    assert set(report["slices"]) == {"mask_type=amodal", "mask_type=modal"}


def test_out_holds_the_same_report(askmask) -> None:
    _, out, _ = askmask("--json", "--out", "metrics.json")
    assert json.loads(Path("metrics.json").read_text()) == json.loads(out)


def test_missing_predictions_fail_in_one_line_or_count_as_empty(askmask) -> None:
    path = Path("predictions.jsonl")
    path.write_text(path.read_text().splitlines(keepends=True)[0])
    code, out, err = askmask("--json")
    assert (code, out) == (1, "")
    assert "2 of 3 queries have none (b, c)" in err
    assert err.count("\n") == 1
    code, out, _ = askmask("--json", "--allow-missing")
    assert (code, json.loads(out)["missing"]) == (0, 2)


def test_a_broken_line_is_named(askmask) -> None:
    with Path("predictions.jsonl").open("a") as stream:
        stream.write('{"id": \n')
    code, _, err = askmask()
    assert code == 1
    assert "predictions.jsonl:4" in err


def test_an_unknown_protocol_is_a_wrong_command_line(askmask) -> None:
    code, out, err = askmask("--protocol", "coco")
    assert (code, out) == (2, "")
    assert "reasonseg" in err


def test_help_names_every_protocol(askmask) -> None:
    _, out, _ = askmask("--help")
    assert {name for name in PROTOCOLS if name not in out} == set()
