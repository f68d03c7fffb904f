"""Composed names: what they say, and what is said of those that are wrong."""

from __future__ import annotations

import re

import pytest

from askmask.errors import ConfigError
from askmask.models.spec import parse, parse_source


def told(text: str) -> list[tuple[str, str, str | None]]:
    return [(part.kind, part.name, part.source) for part in parse(text)]


def test_parts_of_all_kinds() -> None:
    assert told("hub:sam2-tiny+embedded-v1+hub:qwen3-vl-2b=/models/qwen") == [
        ("hub", "sam2-tiny", None),
        ("", "embedded-v1", None),
        ("hub", "qwen3-vl-2b", "/models/qwen"),
    ]
    assert told("file:out/proposals.json+none+openai:org/gpt-4o:free@http://localhost:8000/v1") == [
        ("file", "out/proposals.json", None),
        ("", "none", None),
        ("openai", "org/gpt-4o:free", "http://localhost:8000/v1"),
    ]
    assert told("embedded-v1+completer-v1+anthropic:claude")[2] == ("anthropic", "claude", None)


def test_options_are_numbers_truth_values_lists_or_text() -> None:
    part = parse("hub:x=a/b,grid=16,least=0.5,crops=true,way=pairwise,words=red mug;+none+hub:y")[0]
    assert part.source == "a/b"
    assert part.options == {
        "grid": 16,
        "least": 0.5,
        "crops": True,
        "way": "pairwise",
        "words": ("red mug",),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hub:a+none", r"expected PROPOSER\+COMPLETER\+SELECTOR, e.g. hub:.*, got 2 parts"),
        ("a+b+c+d", "got 4 parts"),
        ("hbu:a+none+hub:b", "proposer at character 1: kind 'hbu' is not known: .*'hub'"),
        ("a+none+opnai:b", "selector at character 8: kind 'opnai' is not known: .*'openai'"),
        ("openai:a+none+hub:b", "proposer at character 1: openai: can be a selector only"),
        ("a+none+file:b", "selector at character 8: file: can be a proposer only"),
        ("a++hub:b", "completer at character 3: expected a name, got ''"),
        ("hub:=x+none+hub:b", "proposer at character 1: expected a name, got 'hub:=x'"),
        ("hub:a=+none+hub:b", "expected something after =, got 'hub:a='"),
        ("a+none+openai:m@", "expected something after @"),
        ("hub:a,grid+none+hub:b", "expected OPTION=VALUE after a comma, got 'grid'"),
        ("hub:a,2=3+none+hub:b", "expected OPTION=VALUE after a comma, got '2=3'"),
        ("hub:a,grid=+none+hub:b", "got 'grid='"),
    ],
)
def test_slips_are_told_with_their_place(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"^model {re.escape(repr(text))}.*{message}"):
        parse(text)


def test_a_source_with_options() -> None:
    assert parse_source("xinlai/LISA-7B-v1", "here") == ("xinlai/LISA-7B-v1", {})
    assert parse_source("gres.pth,tokenizer=bert,side=480", "here") == (
        "gres.pth",
        {"tokenizer": "bert", "side": 480},
    )
    with pytest.raises(ConfigError, match="here: expected OPTION=VALUE after a comma, got 'side'"):
        parse_source("gres.pth,side", "here")
