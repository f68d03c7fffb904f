"""Every operation on hand-made scenes whose answers were worked out by hand.

A row gives the truth of each object: T true, F false, ? unclear, - undefined (the anchor itself).
Where the anchor is a reference it is object 0.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy import Thing, random_scene, toy_scene

from askmask.pantry.language.attributes import main_colour
from askmask.pantry.language.banks import Pattern
from askmask.pantry.language.evaluate import Evaluator, Unusable
from askmask.pantry.language.facts import SceneFacts
from askmask.pantry.language.meaning import OPERATIONS, parse
from askmask.pantry.language.phrases import Phrase
from askmask.pantry.language.scene_truth import SceneTruth
from askmask.pantry.language.truth import TRUE, negate
from askmask.pantry.language.vocabulary import Adjective, ClassPhrase, Description, vocabulary
from askmask.pantry.scene import Scene, SceneObject

LETTERS = "F-?T"


def name(text):
    return next(one for one in vocabulary().names if one.text == text)


def words_for(table, text):
    found = [one for pool in ("train", "test") for one in table[pool] if one.text == text]
    return found[0]


def letters(scene, meaning, fillers=None, references=(0, 1)):
    """Truth of a meaning on a scene, or "unusable"."""
    expression = parse(meaning)
    pattern = Pattern("", expression, {}, "any", "plain", 2, False)
    phrase = Phrase(pattern, fillers or {}, references)
    try:
        return "".join(LETTERS[value] for value in Evaluator(scene).truth(phrase, expression))
    except Unusable:
        return "unusable"


def honey(x, z=1.0, **more):
    return Thing("jar of honey", x, z, **more)


def beans(x, z=1.0, **more):
    more = {"material": "metal", "container": "can"} | more
    return Thing("can of beans", x, z, **more)


def test_steps_tell_what_a_phrase_names_compares_and_starts_from():
    scene = toy_scene([honey(-0.4), honey(-0.2), beans(0.2), honey(0.5)])
    meaning = parse("leftmost(and(category(N),left_of(the(category(N2)))))")
    pattern = Pattern("", meaning, {}, "sg", "multi-step", 0, False)
    phrase = Phrase(pattern, {"N": name("jar of honey"), "N2": name("can of beans")})
    evaluator = Evaluator(scene)
    assert evaluator.targets(phrase) == (0,)
    steps = evaluator.steps(phrase)
    assert steps.named == {0, 1, 2, 3}
    assert steps.anchors == {2}
    assert steps.compared == {0, 1}


ANCHOR = honey(0.0)
HIGH = honey(0.0, base=0.5)
FAR = honey(0.0, z=1.3)
BIG = {"size": (0.15, 0.1, 0.25)}

ROWS = [
    ("left_of(ref(1))", [ANCHOR, beans(-0.3), beans(0.3), beans(-0.05, 0.9)], "-TF?"),
    ("right_of(ref(1))", [ANCHOR, beans(-0.3), beans(0.3), beans(0.05, 0.9)], "-FT?"),
    ("above(ref(1))", [ANCHOR, beans(0, base=0.5), beans(0.3), beans(0.08, base=0.5)], "-TF?"),
    ("above(ref(1),height)", [ANCHOR, beans(0.3, base=0.5), beans(0.5), beans(-0.3, base=0.03)],
     "-TF?"),
    ("above(ref(1),image)", [ANCHOR, beans(0.3, 1.6), beans(-0.3), beans(0.5, 1.2)], "-TF?"),
    ("below(ref(1))", [HIGH, beans(0), beans(0.3, base=0.5), beans(0.08, 0.9)], "-TF?"),
    ("below(ref(1),height)", [HIGH, beans(0.3), beans(0.5, base=0.5), beans(-0.3, base=0.47)],
     "-TF?"),
    ("below(ref(1),image)", [honey(0, 1.6), beans(0.3), beans(-0.3, 1.6), beans(0.5, 1.4)],
     "-TF?"),
    ("in_front_of(ref(1))", [FAR, beans(0.03, 0.9), beans(0.4, 0.9), beans(-0.11, 0.9)], "-TF?"),
    ("in_front_of(ref(1),depth)", [ANCHOR, beans(0.3, 0.9), beans(0.5, 1.2), beans(-0.3, 0.98)],
     "-TF?"),
    ("behind(ref(1))", [ANCHOR, beans(0.03, 1.3), beans(0.4, 1.3), beans(-0.11, 1.3)], "-TF?"),
    ("behind(ref(1),depth)", [ANCHOR, beans(0.3, 1.2), beans(0.5, 0.9), beans(-0.3, 1.02)],
     "-TF?"),
    ("between(ref(1),ref(2))", [honey(-0.4), honey(0.4), beans(0), beans(0.7), beans(0.31, 1.0)],
     "--TF?"),
    ("between(category(N))", [honey(-0.4), honey(0.4), beans(0), beans(0.7)], "--TF"),
    ("adjacent_to(ref(1))", [ANCHOR, beans(0.12), beans(0.5), beans(-0.18)], "-TF?"),
    ("adjacent_to(ref(1),contact)", [ANCHOR, beans(0.1), beans(0.5), beans(-0.105)], "-TF?"),
    ("adjacent_to(scene())", [ANCHOR, beans(0.12), beans(0.5)], "TTF"),
    ("on(ref(1))", [ANCHOR, beans(0, base=0.2), beans(0.5), beans(0, base=0.4)], "-TF?"),
    ("larger_than(both,ref(1))",
     [ANCHOR, beans(0.3, **BIG), beans(-0.3), beans(0.6, size=(0.1, 0.1, 0.22))], "-TF?"),
    ("larger_than(visible,ref(1))",
     [ANCHOR, beans(0.3, **BIG), beans(-0.3), beans(0.6, size=(0.1, 0.1, 0.22))], "-TF?"),
    ("larger_than(real,ref(1))",
     [ANCHOR, beans(0.3, **BIG), beans(-0.3), beans(0.6, size=(0.1, 0.11, 0.2))], "-TF?"),
    ("smaller_than(both,ref(1))",
     [honey(0, **BIG), beans(0.3), beans(-0.3, **BIG), beans(0.6, size=(0.15, 0.1, 0.22))],
     "-TF?"),
    ("smaller_than(real,ref(1))", [honey(0, **BIG), beans(0.3), beans(-0.3, **BIG)], "-TF"),
    ("taller_than(ref(1))",
     [ANCHOR, beans(0.3, size=(0.1, 0.1, 0.3)), beans(-0.3), beans(0.6, size=(0.1, 0.1, 0.21))],
     "-TF?"),
    ("same_category_as(ref(1))", [ANCHOR, honey(0.3), beans(-0.3)], "-TF"),
    ("same_colour_as(ref(1))",
     [ANCHOR, beans(0.3), beans(-0.3, colour="blue"), beans(0.6, colour="orange")], "-TF?"),
    ("same_material_as(ref(1))",
     [ANCHOR, honey(0.3), beans(-0.3), beans(0.6, material="ceramic")], "-TF?"),
    ("same_shape_kind_as(ref(1))",
     [ANCHOR, beans(0.3), beans(-0.3, shape="box"), beans(0.6, shape="irregular")], "-TFF"),
    ("same_shape_kind_as(ref(1))", [honey(0, shape="irregular"), beans(0.3, shape="irregular")],
     "-?"),
    ("attribute(A)",
     [honey(0), honey(0.3, colour="blue"), honey(0.6, colour="orange"), honey(-0.3, share=0.3)],
     "TF??"),
    ("attribute(A2)", [ANCHOR, beans(0.3), beans(-0.3, material="steel")], "FT?"),
    ("attribute(A3)", [ANCHOR, beans(0.3, **BIG), beans(-0.4, **BIG)], "FTT"),
    ("attribute(A3)", [ANCHOR, beans(0.3)], "??"),
    ("attribute(A3)",
     [ANCHOR, beans(0.3, **BIG), beans(-0.4, size=(0.3, 0.3, 0.3))], "F?T"),
    ("and(category(N),attribute(A3))",
     [ANCHOR, honey(0.3, **BIG), beans(-0.4, size=(0.3, 0.3, 0.3))], "FTF"),
    ("category(N)", [honey(0), beans(0.3)], "TF"),
    ("category(N2)", [honey(0), beans(0.3), Thing("cosmetics jar", -0.3)], "TFT"),
    ("class(H)", [Thing("apple", 0), beans(0.3), Thing("tomato", -0.3)], "TF?"),
    ("function(F)", [honey(0), beans(0.3)], "TF"),
    ("scene()", [honey(0), beans(0.3)], "TT"),
    ("ref(2)", [honey(0), beans(0.3)], "FT"),
    ("the(category(N))", [honey(0), beans(0.3)], "TF"),
    ("the(category(N))", [honey(0), honey(0.3)], "unusable"),
    ("all(category(N))", [honey(0), honey(0.3), beans(0.6)], "TTF"),
    ("all(category(N))", [beans(0), beans(0.3)], "unusable"),
    ("any(category(N))", [beans(0), beans(0.3)], "FF"),
    ("count(2,category(N))", [honey(0), honey(0.3), beans(0.6)], "TTF"),
    ("count(3,category(N))", [honey(0), honey(0.3), beans(0.6)], "unusable"),
    ("and(category(N),left_of(ref(1)))", [ANCHOR, honey(-0.3), beans(-0.5), honey(0.3)], "-TFF"),
    ("or(left_of(ref(1)),right_of(ref(1)))", [ANCHOR, honey(-0.3), beans(0.3)], "-TT"),
    ("not(left_of(ref(1)))", [ANCHOR, beans(-0.3), beans(0.3), beans(-0.05, 0.9)], "-FT?"),
    ("except(scene(),ref(1))", [ANCHOR, beans(-0.3), beans(0.3)], "FTT"),
    ("except(category(N),ref(2))", [honey(0), beans(-0.3)], "unusable"),
    ("occluding(ref(1))", [FAR, beans(0.05, 1.0), beans(0.5, 1.0), beans(-0.096, 1.1)], "-TF?"),
    ("occluding(scene())", [FAR, beans(0.05, 1.0), beans(0.5, 1.0)], "FTF"),
    ("occluded_by(ref(1))", [ANCHOR, beans(0.05, 1.2), beans(0.5, 1.2), beans(-0.096, 1.1)],
     "-TF?"),
    ("unoccluded()", [ANCHOR, beans(0.05, 1.2), beans(-0.096, 1.1)], "TF?"),
    ("touching_frame()", [honey(-0.8), beans(0), beans(0.74)], "TF?"),
    ("leftmost(scene())", [honey(0), beans(-0.3), beans(0.3)], "FTF"),
    ("leftmost(scene())", [honey(0), beans(-0.01, 1.6, base=0.3)], "unusable"),
    ("leftmost(scene(),k=2)", [honey(0), beans(-0.3), beans(0.3)], "TTF"),
    ("leftmost(attribute(A))",
     [honey(0), beans(0.3), beans(-0.5, colour="orange")], "unusable"),
    ("leftmost(attribute(A))", [honey(0), beans(0.3), beans(0.5, colour="orange")], "TFF"),
    ("rightmost(scene())", [honey(0), beans(-0.3), beans(0.3)], "FFT"),
    ("topmost(scene())", [honey(0), beans(0.3, base=0.4)], "FT"),
    ("topmost(scene())", [honey(0), beans(0.3, 1.5)], "unusable"),
    ("topmost(scene(),image)", [honey(0), beans(0.3, 1.5)], "FT"),
    ("bottommost(scene())", [honey(0), beans(0.3, base=0.4)], "TF"),
    ("bottommost(scene(),image)", [honey(0), beans(0.3, 1.5)], "TF"),
    ("nearest_to_camera(scene())", [honey(0), beans(0.3, 0.8), beans(0.5, 1.4)], "FTF"),
    ("nearest_to_camera(scene())", [honey(0), beans(0.3, 0.99)], "unusable"),
    ("farthest_from_camera(scene())", [honey(0), beans(0.3, 0.8), beans(0.5, 1.4)], "FFT"),
    ("nearest_to(ref(1),scene())", [ANCHOR, beans(0.3), beans(-0.6)], "FTF"),
    ("nearest_to(ref(1),scene())", [ANCHOR, beans(0.3), beans(-0.31)], "unusable"),
    ("nearest_to(ref(1),left_of(ref(1)))", [ANCHOR, beans(0.2), beans(-0.3), beans(-0.6)], "FFTF"),
    ("nearest_to(ref(1),left_of(ref(1)))", [ANCHOR, beans(-0.2, 1.0, base=0.5), beans(-0.7)],
     "unusable"),
    ("farthest_from(ref(1),scene())", [ANCHOR, beans(0.3), beans(-0.6)], "FFT"),
    ("nth_from_left(2,scene())", [honey(0), beans(-0.3), beans(0.3)], "TFF"),
    ("nth_from_left(4,scene())", [honey(0), beans(-0.3), beans(0.3)], "unusable"),
    ("nth_from_left(2,scene())", [honey(0), beans(-0.3, base=0.3), beans(0.3)], "unusable"),
    ("nth_from_right(1,scene())", [honey(0), beans(-0.3), beans(0.3)], "FFT"),
    ("nth_from_right(2,left_of(ref(1)))", [ANCHOR, beans(-0.3), beans(-0.6)], "FFT"),
    ("largest(both,scene())", [honey(0), beans(0.3, **BIG)], "FT"),
    ("largest(both,scene())", [honey(0), beans(0.3, size=(0.1, 0.1, 0.22))], "unusable"),
    ("largest(visible,scene())", [honey(0), beans(0.3, **BIG)], "FT"),
    ("smallest(real,scene())", [honey(0), beans(0.3, **BIG)], "TF"),
    ("tallest(scene())", [honey(0), beans(0.3, **BIG)], "FT"),
    ("tallest(scene())", [honey(0), beans(0.3, size=(0.1, 0.1, 0.205))], "unusable"),
    ("widest(scene())", [honey(0), beans(0.3, **BIG)], "FT"),
    ("thinnest(scene())", [honey(0), beans(0.3, size=(0.1, 0.05, 0.2))], "FT"),
    ("roundest(scene())", [honey(0), beans(0.3, size=(0.15, 0.1, 0.15), disc=True)], "FT"),
    ("roundest(scene())", [honey(0), beans(0.3, size=(0.2, 0.1, 0.2))], "unusable"),
    ("most_hidden(scene())", [FAR, beans(0.02, 1.0), beans(0.5)], "TFF"),
    ("most_hidden(scene())", [ANCHOR, beans(0.3)], "unusable"),
    ("has_part(P)", [ANCHOR], "unusable"),
    ("part_of(P,ref(1))", [ANCHOR, beans(0.3)], "unusable"),
]  # fmt: skip

FILLERS = {
    "N": name("jar of honey"),
    "N2": name("jar"),
    "A": Adjective("red", "colour", "red"),
    "A2": Adjective("metal", "material", "metal"),
    "A3": Adjective("big", "size", "big"),
}


@pytest.fixture(scope="module")
def fillers():
    words = vocabulary()
    fruit: ClassPhrase = words_for(words.class_phrases, "all the pieces of fruit")
    bees: Description = words_for(words.descriptions, "something bees made")
    return FILLERS | {"H": fruit, "F": bees}


@pytest.mark.parametrize(("meaning", "things", "expected"), ROWS)
def test_operation(meaning, things, expected, fillers):
    assert letters(toy_scene(things), meaning, fillers) == expected


def test_every_operation_is_in_the_table():
    tested = {part.op for meaning, _, _ in ROWS for part in parse(meaning).walk()}
    assert tested == OPERATIONS


def truths(scene):
    return SceneTruth(SceneFacts(scene))


def mirrored(scene):
    """The scene seen in a mirror."""
    objects = tuple(
        SceneObject(
            **{
                **vars(item),
                "centre_m": (-item.centre_m[0], *item.centre_m[1:]),
                "modal": item.modal[:, ::-1],
                "amodal": item.amodal[:, ::-1],
            }
        )
        for item in scene.objects
    )
    return Scene(scene.image, objects, scene.occlusion, scene.layout, scene.seed)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_left_is_right_in_the_mirror(seed):
    scene = random_scene(seed)
    here, there = truths(scene), truths(mirrored(scene))
    assert np.array_equal(here.pairs("left_of"), there.pairs("right_of"))
    for op in ("above", "in_front_of", "behind,depth", "adjacent_to", "occluding", "on"):
        assert np.array_equal(here.pairs(op), there.pairs(op)), op


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["both", "visible", "real"]))
def test_larger_and_smaller_exclude_each_other(seed, mode):
    known = truths(random_scene(seed))
    larger = known.pairs(f"larger_than,{mode}")
    assert np.array_equal(larger.T, known.pairs(f"smaller_than,{mode}"))
    assert not ((larger == TRUE) & (larger.T == TRUE)).any()


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_opposite_relations_exclude_each_other(seed):
    known = truths(random_scene(seed))
    pairs = [("left_of", "right_of"), ("above", "below"), ("in_front_of", "behind")]
    pairs += [("in_front_of,depth", "behind,depth"), ("above,image", "below,image")]
    for one, other in pairs:
        both = (known.pairs(one) == TRUE) & (known.pairs(other) == TRUE)
        assert not both.any(), (one, other)


@given(st.lists(st.integers(0, 3), max_size=9))
def test_negation_twice_changes_nothing(values):
    truth = np.array(values, np.int8)
    assert np.array_equal(negate(negate(truth)), truth)
    assert not ((truth == TRUE) & (negate(truth) == TRUE)).any()


@pytest.mark.parametrize(
    ("colours", "expected"),
    [
        ({"red": 0.7, "white": 0.3}, "red"),
        ({"red": 0.45, "white": 0.25, "grey": 0.2}, "red"),
        ({"red": 0.45, "white": 0.35}, ""),
        ({"white": 0.46, "red": 0.16, "brown": 0.13, "blue": 0.17}, ""),
        ({"brown": 0.6, "yellow": 0.25}, ""),
        ({"grey": 0.6, "blue": 0.2}, ""),
        ({}, ""),
    ],
)
def test_main_colour_is_the_one_that_people_name(colours, expected):
    assert main_colour(colours) == expected


def test_two_colours_are_named_together():
    package = Thing("jar of honey", 0.0, colour="red", share=0.45)
    scene = toy_scene([package, beans(0.3)])
    scene.objects[0].colours["white"] = 0.35
    pair = Adjective("white and red", "colour", "white+red")
    assert letters(scene, "attribute(A)", {"A": pair}) == "TF"
