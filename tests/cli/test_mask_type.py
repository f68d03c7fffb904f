"""`askmask mask-type`: one answer a line."""

from __future__ import annotations

import json

import pytest
from cli_result import Run
from fake_segmenter import FakeSegmenter


def test_plain_output_is_separated_by_tabs(run: Run) -> None:
    result = run("mask-type", "the mug", "the whole\tmug", "what is behind [1]")
    assert result.code == 0
    assert [line.split("\t") for line in result.out.splitlines()] == [
        ["the mug", "modal", "0.900"],
        ["the whole mug", "amodal", "0.900"],
        ["what is behind [1]", "hidden", "0.900"],
    ]


def test_json_is_one_object_a_line(run: Run) -> None:
    result = run("mask-type", "--json", "the mug", "die große Tasse")
    answers = [json.loads(line) for line in result.out.splitlines()]
    assert answers[1] == {
        "text": "die große Tasse",
        "mask_type": "modal",
        "mask_type_probability": {"modal": 0.9, "amodal": 0.05, "hidden": 0.05},
    }


def test_stdin_has_one_sentence_a_line(run: Run) -> None:
    lines = b"the mug\r\nthe whole mug" * 300
    result = run("mask-type", stdin=lines)
    assert len(result.out.splitlines()) == 301
    assert result.out.startswith("the mug\tmodal")


@pytest.mark.parametrize(
    ("stdin", "message"),
    [
        (b"the mug\n\nthe cup\n", "standard input, line 2: the sentence is empty"),
        (b"the mug\n  \t\n", "line 2"),
        (b"the mug\n" + b"x" * 10_000, "line 2: the sentence has 10,000 characters"),
        (b"\xff\xfe\n", "line 1: the sentence is not valid UTF-8"),
        (b"", "standard input has no lines"),
    ],
)
def test_bad_lines_are_named_before_the_model_is_loaded(
    run: Run, stdin: bytes, message: str
) -> None:
    assert message in run("mask-type", stdin=stdin).error
    assert FakeSegmenter.loaded == 0


def test_bad_arguments_are_numbered(run: Run) -> None:
    assert "argument 2: the sentence is empty" in run("mask-type", "the mug", "").error


def test_a_model_may_be_unable(run: Run) -> None:
    error = run("mask-type", "the mug", "--model", "pointless").error
    assert "cannot name mask types" in error
