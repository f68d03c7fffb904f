import pytest
from toy_annotations import kitchen, picture

from askmask.authoring.clean import Reason, clean_reply, names_class
from askmask.authoring.writer import Request

KITCHEN = picture(kitchen())
REQUEST = Request("key", KITCHEN, modal=2, amodal=1)


def reply(text: str, kind: str = "modal", numbers: str = "1") -> str:
    return f'<Q type="{kind}">{text}</Q><A>{numbers}</A>'


def reasons(*lines: str) -> list[str]:
    return [fault.reason for fault in clean_reply("\n".join(lines), REQUEST).dropped]


def test_the_toy_is_as_the_tests_think() -> None:
    assert [one.number for one in KITCHEN.instances] == [1, 2, 3, 4, 5]
    assert KITCHEN.occluded == {2, 4} or KITCHEN.occluded == {2, 3, 4}


def test_good_questions_are_kept() -> None:
    lines = reply("Who drinks?", numbers="2"), reply("The whole of it", "amodal", "2, 1")
    cleaned = clean_reply("\n".join(lines), REQUEST)
    assert [one.text for one in cleaned.kept] == ["Who drinks?", "The whole of it"]
    assert cleaned.dropped == ()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (reply("  "), Reason.FORMAT),
        (reply("x" * 2_001), Reason.FORMAT),
        (reply("What?", numbers="six"), Reason.FORMAT),
        (reply("What?", numbers="6"), Reason.UNKNOWN_ID),
        (reply("What?", numbers="0, 1"), Reason.UNKNOWN_ID),
        (reply("The Cups on the left"), Reason.CLASS_NAME),
        (reply("the two people", numbers="2"), Reason.CLASS_NAME),
        (reply("what lies at (12, 40)"), Reason.COORDINATES),
        (reply("what carries [2]"), Reason.COORDINATES),
        (reply("the thing marked 3"), Reason.COORDINATES),
        (reply("object #3, please"), Reason.COORDINATES),
        (reply("what is 40 px wide"), Reason.COORDINATES),
        (reply("All of it, also what is hidden", "amodal", "1"), Reason.NOT_OCCLUDED),
    ],
)
def test_bad_questions_are_dropped(line: str, reason: Reason) -> None:
    assert reasons(line) == [reason]


def test_the_same_words_count_once_whatever_they_ask() -> None:
    lines = reply("Who drinks?"), reply("who drinks"), reply("Who  drinks!", "amodal", "2")
    assert reasons(*lines) == [Reason.DUPLICATE, Reason.DUPLICATE]


def test_more_than_asked_for_is_dropped() -> None:
    assert reasons(*(reply(f"Question {word}?") for word in "abcd")) == [Reason.SURPLUS] * 2


def test_class_names_of_others_may_be_used() -> None:
    assert reasons(reply("what stands before the person")) == []


@pytest.mark.parametrize(
    ("text", "name", "leaks"),
    [
        ("two knives", "knife", True),
        ("the batteries", "battery", True),
        ("both buses", "bus", True),
        ("a cell-phone", "cell phone", True),
        ("the cellphones", "cell phone", True),
        ("a carton", "car", False),
        ("the scar", "car", False),
        ("an umbrella stand", "umbrella", True),
        ("anything", "", False),
        ("a (b", "(b", True),
    ],
)
def test_names_are_found_as_whole_words(text: str, name: str, leaks: bool) -> None:
    assert (names_class(text, [name]) is not None) == leaks
