from hypothesis import given
from hypothesis import strategies as st

from askmask.authoring.parse import Malformed, Question, parse_reply
from askmask.types import MaskType


def test_reads_the_form_that_is_asked_for() -> None:
    reply = """<Q type="modal">Who barks?</Q><A>1</A>
    <Q type="amodal">All of it,
    please.</Q><A>2, 5</A>"""
    assert list(parse_reply(reply)) == [
        Question("Who barks?", MaskType.MODAL, (1,)),
        Question("All of it, please.", MaskType.AMODAL, (2, 5)),
    ]


def test_reads_what_models_write_instead() -> None:
    reply = """Sure! Here you go:
    1. <q type=modal>One?</q> <a>[3] and [4]</a>
    <Q type='AMODAL'>Two?</Q>
    <A>instance id is 12, class name is cup; instance id is 15, class name is cup
    <Q modal>Three?</Q><A>7;7; 8.</A>
    """
    assert list(parse_reply(reply)) == [
        Question("One?", MaskType.MODAL, (3, 4)),
        Question("Two?", MaskType.AMODAL, (12, 15)),
        Question("Three?", MaskType.MODAL, (7, 8)),
    ]


def test_says_what_is_wrong_and_goes_on() -> None:
    reply = (
        "<Q>No type?</Q><A>1</A><Q type='modal'>No answer?</Q>"
        "<Q type='modal'>Words?</Q><A>the first one</A><Q type='modal'>Good?</Q><A>1</A>"
        "<Q type='amodal'>Cut o"
    )
    kinds = [type(one) for one in parse_reply(reply)]
    assert kinds == [Malformed, Malformed, Malformed, Question, Malformed]


def test_an_answer_without_numbers_is_a_question_without_instances() -> None:
    (found,) = parse_reply("<Q type='modal'>None?</Q><A></A>")
    assert isinstance(found, Malformed) or found.numbers == ()


def test_a_reply_without_questions_is_malformed() -> None:
    for reply in ("", "I cannot help with that."):
        (found,) = parse_reply(reply)
        assert isinstance(found, Malformed)


_PIECES = st.sampled_from(
    ["<Q", ' type="modal"', "amodal", ">", "</Q>", "<A>", "</A>", "1", ", ", "é", "x" * 50, "\n"]
)


@given(st.lists(_PIECES | st.text(max_size=5), max_size=30))
def test_any_text_is_read(pieces: list[str]) -> None:
    for found in parse_reply("".join(pieces)):
        assert isinstance(found, Malformed) or all(type(n) is int for n in found.numbers)
