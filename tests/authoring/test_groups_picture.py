"""What is measured on an annotated picture, and the words for it."""

from __future__ import annotations

import numpy as np
import pytest
from annotated import pictured, thing

from askmask.authoring.groups.clauses import Anchor, attribute, pick
from askmask.authoring.groups.picture import Picture
from askmask.authoring.groups.words import heads, join, one_and_many
from askmask.pantry.language.truth import FALSE, TRUE, UNCLEAR, UNDEFINED

ALL = np.full(3, TRUE)


def three(*places: tuple[int, int, int, int], **attributes: list[str]) -> Picture:
    return Picture(
        pictured(
            *(
                thing(n, "dog", place, **{key: values[n] for key, values in attributes.items()})
                for n, place in enumerate(places)
            )
        )
    )


def test_halves_are_unclear_for_what_lies_in_both() -> None:
    picture = three((10, 5, 30, 20), (90, 5, 110, 20), (150, 80, 180, 95))
    assert picture.in_half("left").tolist() == [TRUE, UNCLEAR, FALSE]
    assert picture.in_half("right").tolist() == [FALSE, UNCLEAR, TRUE]
    assert picture.in_half("upper").tolist() == [TRUE, TRUE, FALSE]
    assert picture.in_half("lower").tolist() == [FALSE, FALSE, TRUE]


def test_sides_of_an_anchor() -> None:
    picture = three((10, 40, 30, 60), (90, 40, 110, 60), (100, 30, 130, 70))
    assert picture.relation("left_of", 1).tolist() == [TRUE, UNDEFINED, FALSE]
    assert picture.relation("right_of", 0).tolist() == [UNDEFINED, TRUE, TRUE]


@pytest.mark.parametrize(("gap", "truth"), [(0, TRUE), (1, TRUE), (5, UNCLEAR), (20, FALSE)])
def test_touching(gap: int, truth: int) -> None:
    picture = three((10, 10, 40, 40), (40 + gap, 10, 70 + gap, 40), (150, 80, 160, 90))
    assert picture.touching(0).tolist() == [UNDEFINED, truth, FALSE]
    assert picture.touching(1)[0] == truth


def test_edge_needs_contact() -> None:
    picture = three((0, 10, 20, 30), (3, 40, 20, 60), (50, 50, 60, 60))
    assert picture.at_edge().tolist() == [TRUE, UNCLEAR, FALSE]


def test_covering_needs_complete_shapes() -> None:
    behind = thing(1, "box", (10, 10, 30, 50), amodal=(10, 10, 60, 50))
    before = thing(2, "dog", (30, 10, 80, 50), amodal=(30, 10, 80, 50))
    picture = Picture(pictured(behind, before, thing(3, "cat", (100, 10, 120, 50))))
    covering = picture.covering(0)
    assert covering is not None
    assert covering.tolist() == [UNDEFINED, TRUE, FALSE]
    assert picture.covering(2) is None


def test_a_kind_of_the_category_is_unclear() -> None:
    names = ["mug", "beer mug", "box of rice", "box", "smug"]
    places = [(30 * n, 10, 30 * n + 20, 30) for n in range(5)]
    picture = Picture(pictured(*(thing(n, name, places[n]) for n, name in enumerate(names))))
    assert picture.of_category("mug").tolist() == [TRUE, UNCLEAR, FALSE, FALSE, FALSE]
    assert picture.of_category("box").tolist() == [FALSE, FALSE, UNCLEAR, TRUE, FALSE]


def test_invisible_objects_and_crowds_are_no_objects() -> None:
    hidden = thing(1, "dog", (0, 0, 0, 0), amodal=(10, 10, 20, 20))
    crowd = thing(2, "cat", (50, 10, 90, 40), crowd=True)
    picture = Picture(pictured(hidden, crowd, thing(3, "dog", (10, 60, 30, 80))), ["cow", "dog"])
    assert [one.id for one in picture.objects] == [3]
    assert [one.id for one in picture.crowds] == [2]
    assert picture.others == ["cow"]


def test_nothing_is_picked_without_a_margin() -> None:
    tied = three((10, 10, 30, 30), (11, 50, 31, 70), (170, 50, 190, 70))
    picks = [pick(tied, ALL, np.random.default_rng(seed)) for seed in range(60)]
    words = {clause.before for clause in picks if clause is not None}
    assert words
    assert "leftmost" not in words  # the first two are a pixel apart
    assert "two leftmost" in words
    assert "rightmost" in words


def test_picks_are_true() -> None:
    picture = three((10, 10, 30, 30), (80, 40, 100, 60), (150, 70, 170, 90))
    right = {"leftmost": [0], "rightmost": [2], "topmost": [0], "lowest": [2]}
    right |= {"two leftmost": [0, 1], "two rightmost": [1, 2]}
    right |= {"two topmost": [0, 1], "two lowest": [1, 2]}
    seen = set()
    for seed in range(80):
        clause = pick(picture, ALL, np.random.default_rng(seed))
        assert clause is not None
        assert np.flatnonzero(clause.truth == TRUE).tolist() == right[clause.before]
        seen.add(clause.before)
    assert seen == set(right)


def test_colours_that_people_mix_up_are_unclear() -> None:
    places = [(30 * n, 10, 30 * n + 20, 30) for n in range(3)]
    picture = three(*places, colour=["red", "orange", "blue"])
    anchor = Anchor("[1]", 0, True)
    clauses = [attribute(picture, ALL, np.random.default_rng(n), anchor) for n in range(30)]
    (same,) = {
        tuple(clause.truth.tolist())
        for clause in clauses
        if clause is not None and clause.after == "of the same colour as [1]"
    }
    assert same == (UNDEFINED, UNCLEAR, FALSE)


@pytest.mark.parametrize(
    ("category", "forms"),
    [
        ("person", ("person", "people")),
        ("wine glass", ("wine glass", "wine glasses")),
        ("aerosol_can", ("aerosol can", "aerosol cans")),
        ("bat_(animal)", ("bat", "bats")),
        ("box of rice", ("box of rice", "boxes of rice")),
        ("sheep", ("sheep", "sheep")),
    ],
)
def test_nouns(category: str, forms: tuple[str, str]) -> None:
    assert one_and_many(category) == forms


def test_numbers_are_said_only_where_they_are_known() -> None:
    assert "the three {many}" in heads(3, counted=True)
    assert "both {many}" in heads(2, counted=True)
    assert heads(1, counted=True) == ["the {one}"]
    assert not any("three" in head or "the {one}" in head for head in heads(3, counted=False))
    assert "the {one}" not in heads(1, counted=False)


def test_join_writes_an_before_vowels() -> None:
    assert join("a", "", "orange box", "") == "an orange box"
