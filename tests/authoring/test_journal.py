from __future__ import annotations

from pathlib import Path

import pytest

from askmask.authoring.journal import Journal
from askmask.errors import DataError, OutputError
from askmask.llm.chat import Reply, Usage

REPLY = Reply("text ✓\nmore", Usage(1, 2, 3, 4), "end_turn")


def test_a_journal_remembers(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as journal:
        for key in ("a", "b", "c"):
            journal.asked(key)
        journal.replied("a", REPLY)
        journal.failed("c", "refused")
        journal.submitting(["d", "e"])
        journal.submitted("batch-1", ["d", "e"])
        journal.submitting(["f"])
    with Journal.open(path) as journal:
        assert journal.replies == {"a": REPLY}
        assert journal.in_doubt == {"b"}
        assert journal.batches == {"batch-1": ("d", "e")}
        assert journal.intent is not None
        assert journal.intent.keys == ("f",)
        journal.abandoned()
        journal.collected("batch-1")
    with Journal.open(path) as journal:
        assert (journal.batches, journal.intent) == ({}, None)
        assert journal.known == {"batch-1"}


def test_a_torn_line_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal.open(path) as journal:
        journal.asked("a")
        journal.replied("a", REPLY)
    whole = path.read_bytes()
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        with Journal.open(path) as journal:
            journal.asked("z")
            assert "a" not in journal.replies
        with Journal.open(path) as journal:
            assert "z" in journal.in_doubt


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with (
        Journal.open(path),
        pytest.raises(OutputError, match="another run"),
        Journal.open(path),
    ):
        pass


@pytest.mark.parametrize("line", ['{"who": 1}', '{"collected": "never seen"}', '{"reply": 3}'])
def test_a_strange_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(f'{{"asked": "a"}}\n{line}\n')
    with pytest.raises(DataError, match=r"journal\.jsonl:2"), Journal.open(path):
        pass


def test_a_folder_is_no_journal(tmp_path: Path) -> None:
    with pytest.raises(OutputError), Journal.open(tmp_path):
        pass
