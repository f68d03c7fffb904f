"""Banks, grammar and the reading of meanings."""

from __future__ import annotations

import re

import numpy as np
import pytest

from askmask.errors import DataError
from askmask.pantry.language import banks
from askmask.pantry.language.english import article, roughen
from askmask.pantry.language.frames import any_frame, choose_frame
from askmask.pantry.language.meaning import parse, says_partly_hidden
from askmask.pantry.language.phrases import Phrase
from askmask.pantry.language.realise import is_short, realise
from askmask.pantry.language.vocabulary import Adjective, vocabulary
from askmask.types import MaskType


def pattern(text):
    return next(one for one in banks.patterns() if one.text == text)


def name(text):
    return next(one for one in vocabulary().names if one.text == text)


@pytest.mark.parametrize(
    ("text", "fixed"),
    [
        ("a orange", "an orange"),
        ("a unit of a hour", "a unit of an hour"),
        ("that is a apple or a jar", "that is an apple or a jar"),
        ("a egg", "an egg"),
        ("a umbrella", "an umbrella"),
    ],
)
def test_article(text, fixed):
    assert article(text) == fixed


def test_roughen_keeps_references_and_length():
    rng = np.random.default_rng(0)
    for _ in range(200):
        rough = roughen("Mask the jar left of [1], please.", rng)
        assert "[1]" in rough
        assert abs(len(rough) - 33) <= 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nope(N)", "unknown operation 'nope'"),
        ("category(N", "expected"),
        ("category(N))", "expected 'the end'"),
        ("category(#)", "unexpected character '#'"),
        ("and(category(N),)", "expected an argument"),
        ("", "unknown operation 'the end'"),
    ],
)
def test_malformed_meanings_say_where(text, problem):
    with pytest.raises(DataError, match=re.escape(problem)):
        parse(text)


def test_meanings_are_read_back():
    for one in banks.patterns():
        assert parse(str(one.meaning)) == one.meaning


def test_forty_patterns_say_that_the_target_is_partly_hidden():
    assert sum(one.partly_hidden for one in banks.patterns() if one.bank != "varied_patterns") == 40
    assert not says_partly_hidden(parse("behind(ref(1))"))
    assert not says_partly_hidden(parse("left_of(the(occluded_by(ref(1))))"))


def test_nested_references_are_renumbered():
    inner = Phrase(pattern("the {N} that stands left of [1]"), {"N": name("jar of honey")}, (4,))
    text, references = realise(Phrase(pattern("{R} and {R2}"), {"R": inner, "R2": inner}))
    assert text == (
        "the jar of honey that stands left of [1] and the jar of honey that stands left of [2]"
    )
    assert references == (4, 4)


def test_phrases_agree():
    words = {"A": Adjective("orange", "colour", "orange"), "N": name("jar of honey")}
    assert realise(Phrase(pattern("the {A} {Ns}"), words))[0] == "the orange jars of honey"
    assert is_short("the red jar")
    assert not is_short("the jar that is red")


def test_names_cover_what_people_call_so():
    words = vocabulary()

    def covered(text):
        return {words.nouns[i] for i in np.flatnonzero(name(text).coverage == 3)}

    assert {"jar of honey", "jar of pickles", "cosmetics jar"} <= covered("jar")
    assert "can of beans" not in covered("jar")
    assert covered("jam") == {"jar of strawberry jam", "jar of cherry jam"}
    assert covered("honey") == {"jar of honey"}


def test_an_unknown_category_is_named():
    with pytest.raises(DataError, match="'flying carpet' is not in the noun bank"):
        vocabulary().noun_index("flying carpet", "scene 1")


def test_pools_are_disjoint_and_about_one_in_five():
    for texts in (
        {one.text for one in banks.frames() if one.bank != "varied_frames"},
        {one.text for one in banks.patterns() if not one.is_open and one.bank != "varied_patterns"},
    ):
        share = np.mean([banks.pool_of(text) == "test" for text in texts])
        assert 0.15 < share < 0.25
    words = vocabulary()
    for table in (words.class_phrases, words.descriptions):
        train, test = ({one.text for one in table[pool]} for pool in ("train", "test"))
        assert train
        assert test
        assert not train & test


def test_no_varied_wording_differs_from_a_test_wording_by_punctuation_only():
    def bare(one):
        return re.sub(r"\W+", " ", one.text.lower()).strip()

    for bank, name in ((banks.frames(), "varied_frames"), (banks.patterns(), "varied_patterns")):
        test = {bare(one) for one in bank if one.pool == "test"}
        assert not test & {bare(one) for one in bank if one.bank == name}


@pytest.mark.parametrize("plural", [False, True])
@pytest.mark.parametrize("mask_type", list(MaskType))
@pytest.mark.parametrize("pool", ["train", "test"])
def test_any_frame_fits_what_is_asked(mask_type, pool, plural):
    rng = np.random.default_rng(3)
    found = [any_frame(mask_type, pool, rng, plural=plural) for _ in range(50)]
    assert {one.mask_type for one in found} == {mask_type}
    assert {one.pool for one in found} == {pool}
    assert {one.number for one in found} <= {"any", "pl" if plural else "sg"}
    assert len({one.text for one in found}) > 20


def test_adversarial_bank_is_large_and_varied():
    found = [one for one in banks.frames() if one.bank == "adversarial_frames"]
    assert len(found) >= 120
    assert len({one.text for one in banks.frames()}) == len(banks.frames())
    assert {one.mask_type for one in found} == set(MaskType)


@pytest.mark.parametrize("word", ["whole", "behind", "covered", "full", "visible", "hidden"])
def test_no_single_word_gives_the_mask_type_away(word):
    types = {
        frame.mask_type
        for frame in banks.frames()
        if re.search(rf"\b{word}\b", frame.text.lower()) and frame.pool == "train"
    }
    assert {MaskType.MODAL, MaskType.AMODAL} <= types


@pytest.mark.parametrize("mask_type", MaskType)
@pytest.mark.parametrize("pool", ["train", "test"])
def test_no_frame_says_that_something_is_covered_where_nothing_is(mask_type, pool):
    rng = np.random.default_rng(0)
    for number in ("sg", "pl"):
        for _ in range(300):
            frame = choose_frame(
                mask_type,
                pool,
                rng,
                plural=number == "pl",
                number=number,
                partly_hidden=False,
                occluded=False,
                has_occluder=True,
            )
            assert not frame.needs_occluder
            assert frame.basis not in ("convention", "anaphora")
