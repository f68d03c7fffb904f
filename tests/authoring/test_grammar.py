from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_annotations import kitchen, picture, record

from askmask.authoring.clean import clean_reply
from askmask.authoring.grammar import GrammarWriter
from askmask.authoring.lexicon import class_of, words_for
from askmask.authoring.phrases import Phrase, join, phrases_for
from askmask.authoring.writer import Request, make_request
from askmask.types import MaskType

BOXES = st.tuples(
    st.integers(0, 100), st.integers(0, 70), st.integers(12, 60), st.integers(12, 60)
).map(lambda b: (b[0], b[1], min(b[0] + b[2], 128), min(b[1] + b[3], 96)))
NAMES = st.sampled_from(["cup", "dog", "car", "person", "cat", "dougnut", "unheard-of", "chair"])
THINGS = st.lists(st.tuples(NAMES, BOXES), min_size=1, max_size=7)


def request_for(things: Sequence[tuple[str, tuple[int, int, int, int]]]) -> Request | None:
    return make_request(picture(record("images/toy.png", *things)), GrammarWriter(), 5)


def texts(phrases: Sequence[Phrase]) -> dict[str, list[int]]:
    return {phrase.text: sorted(phrase.numbers) for phrase in phrases}


def test_phrases_mean_what_they_say() -> None:
    found = texts(phrases_for(picture(kitchen())))
    assert found["the mug"] == [1]
    assert found["the individual"] == [2]
    assert found["what barks"] == [3]
    assert found["both vehicles"] == found["all the automobiles"] == [4, 5]
    assert found["the topmost vehicle"] == [4]
    assert found["the largest vehicle"] == [4]
    assert not [text for text in found if text.split()[-1] in ("object", "objects", "thing")]


def test_what_nothing_names_is_told_by_its_place() -> None:
    things = [("xyzzy", (5, 5, 30, 30)), ("xyzzy", (80, 10, 120, 40))]
    found = texts(phrases_for(picture(record("images/toy.png", *things))))
    assert found["the leftmost object"] == [1]
    assert found["the rightmost thing"] == [2]


def test_near_calls_are_not_made() -> None:
    things = [("cup", (5, 5, 35, 35)), ("cup", (8, 50, 38, 80))]
    found = texts(phrases_for(picture(record("images/toy.png", *things))))
    assert "the topmost mug" in found
    assert "the leftmost mug" not in found
    assert "the largest mug" not in found


@settings(max_examples=60)
@given(THINGS)
def test_every_question_is_kept_and_every_occluded_instance_asked_for(things) -> None:
    request = request_for(things)
    if request is None:
        return
    cleaned = clean_reply(GrammarWriter().write(request).text, request)
    assert cleaned.dropped == ()
    assert all(set(one.numbers) <= request.picture.by_number.keys() for one in cleaned.kept)
    speakable = frozenset().union(*(p.numbers for p in phrases_for(request.picture)))
    for kind, wanted in (
        (MaskType.AMODAL, request.picture.occluded),
        (MaskType.MODAL, frozenset(request.picture.by_number)),
    ):
        asked = {n for one in cleaned.kept if one.mask_type is kind for n in one.numbers}
        assert wanted & speakable <= asked


@settings(max_examples=40)
@given(THINGS)
def test_sides_agree_with_the_boxes(things) -> None:
    one = picture(record("images/toy.png", *things))
    classes = [class_of(each.entity.category) for each in one.instances]
    covers = {word.one: word.covers for word in words_for(classes)}
    for phrase in phrases_for(one):
        for side, place, pick in (("left", 0, np.argmin), ("right", 2, np.argmax)):
            start = f"the {side}most "
            if phrase.text.startswith(start) and phrase.text.removeprefix(start) in covers:
                noun = covers[phrase.text.removeprefix(start)]
                named = [e for e, name in zip(one.instances, classes, strict=True) if name in noun]
                best = named[int(pick([e.box_xyxy[place] for e in named]))]
                assert best.box_xyxy[place] == one.by_number[min(phrase.numbers)].box_xyxy[place]


def test_same_seed_same_questions_and_another_seed_others() -> None:
    request = request_for([("cup", (5, 5, 60, 60)), ("dog", (30, 30, 100, 90))])
    assert request is not None
    first = GrammarWriter(seed=1).write(request).text
    assert GrammarWriter(seed=1).write(request).text == first
    assert GrammarWriter(seed=2).write(request).text != first
    assert first.count("<Q") == 10


def test_what_is_hardly_hidden_is_not_said_to_be() -> None:
    # The cup covers one row of the dog: it has an occluder, but does not count as occluded.
    things = [("cup", (5, 5, 60, 31)), ("dog", (5, 30, 60, 90)), ("car", (70, 5, 120, 60))]
    request = request_for([*things, ("cat", (75, 10, 125, 90))])
    assert request is not None
    assert request.picture.occluded == {4}
    for seed in range(40):
        for pool in ("train", "test"):
            text = GrammarWriter(pool=pool, seed=seed).write(request).text
            assert text.count("<Q") == 10


def test_nothing_hidden_gives_modal_questions_only() -> None:
    request = request_for([("cup", (5, 5, 60, 60))])
    assert request is not None
    assert request.amodal == 0
    assert "amodal" not in GrammarWriter().write(request).text


def test_joined_phrases() -> None:
    parts = [Phrase("the mug", frozenset({1})), Phrase("both seats", frozenset({2, 3}))]
    assert join(parts) == Phrase("the mug and both seats", frozenset({1, 2, 3}))
    assert join(parts * 2).text == "the mug, both seats, the mug and both seats"


@pytest.mark.parametrize(
    ("category", "known"),
    [
        ("espresso cup ", "cup"),
        ("Dougnut", "donut"),
        ("traffic_light", "traffic light"),
        ("jar of honey", "jar of honey"),
        ("frobnicator", "frobnicator"),
    ],
)
def test_spellings(category: str, known: str) -> None:
    assert class_of(category) == known


def test_words_do_not_name_their_class_and_mixed_pictures_have_words_for_all_or_none() -> None:
    words = words_for(["cup", "wine glass"])
    assert {word.one for word in words} >= {"drinking vessel", "mug"}
    assert not [word for word in words if "cup" in word.one and "cup" in word.covers]
    unknown = words_for(["cup", "frobnicator"])
    assert all(word.says_nothing for word in unknown)
