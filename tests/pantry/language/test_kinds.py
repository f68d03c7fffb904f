"""The kind that a phrase names, whatever else it says."""

from __future__ import annotations

import numpy as np
import pytest
from toy import Thing, random_scene, toy_scene

from askmask.pantry.language.banks import Pattern
from askmask.pantry.language.evaluate import Evaluator
from askmask.pantry.language.kinds import named_kind
from askmask.pantry.language.meaning import parse
from askmask.pantry.language.phrases import Phrase
from askmask.pantry.language.queries import build_queries
from askmask.pantry.language.vocabulary import Adjective, vocabulary

HONEY, OTHER_HONEY, JAM, BEANS, APPLE = range(5)
THINGS = (
    Thing("jar of honey", x=-0.6, colour="red"),
    Thing("jar of honey", x=-0.3, colour="blue"),
    Thing("jar of strawberry jam", x=0.0, colour="red"),
    Thing("can of beans", x=0.3, colour="red", material="metal", container="can"),
    Thing("apple", x=0.6, colour="red", shape="ball", container="none", material="food"),
)


def name(text):
    return next(one for one in vocabulary().names if one.text == text)


def phrase(meaning, references=(), **fillers):
    pattern = Pattern("", parse(meaning), {}, "any", "plain", len(references), False)
    return Phrase(pattern, fillers, references)


@pytest.fixture(scope="module")
def evaluator():
    return Evaluator(toy_scene(THINGS))


JAR, HONEY_JAR, CAN = name("jar"), name("jar of honey"), name("can")
INNER = phrase("rightmost(category(N))", N=HONEY_JAR)


@pytest.mark.parametrize(
    ("phrase", "kind"),
    [
        (phrase("leftmost(category(N))", N=HONEY_JAR), {HONEY, OTHER_HONEY}),
        (phrase("leftmost(category(N))", N=JAR), {HONEY, OTHER_HONEY, JAM}),
        (
            phrase("and(attribute(A),category(N))", N=JAR, A=Adjective("blue", "colour", "blue")),
            {HONEY, OTHER_HONEY, JAM},
        ),
        (phrase("and(category(N),right_of(the(category(N2))))", N=JAR, N2=CAN), {0, 1, 2}),
        (phrase("left_of(ref(1))", references=(JAM,)), set(range(5))),
        (phrase("ref(1)", references=(JAM,)), {JAM}),
        (phrase("same_category_as(ref(1))", references=(HONEY,)), {OTHER_HONEY}),
        (phrase("all(except(scene(),category(N)))", N=JAR), {BEANS, APPLE}),
        (phrase("all(not(category(N)))", N=JAR), {BEANS, APPLE}),
        (phrase("all(not(left_of(the(category(N)))))", N=CAN), set(range(5))),
        (phrase("or(leftmost(category(N)),the(category(N2)))", N=HONEY_JAR, N2=CAN), {0, 1, 3}),
        (phrase("nearest_to(R,category(N))", N=JAR, R=INNER), {HONEY, OTHER_HONEY, JAM}),
        (phrase("or(R,the(category(N)))", N=CAN, R=INNER), {HONEY, OTHER_HONEY, BEANS}),
    ],
    ids=lambda value: str(value.pattern.meaning) if isinstance(value, Phrase) else "",
)
def test_only_words_for_a_kind_count(evaluator, phrase, kind):
    assert set(np.flatnonzero(named_kind(evaluator, phrase))) == kind


def test_rivals_are_no_targets_and_no_anchors():
    scene = toy_scene(THINGS)
    seen = 0
    for seed in range(6):
        for query in build_queries(scene, np.random.default_rng(seed), "train", 20, ["pear"]):
            ruled_out = {*query.targets, *query.references, *query.steps.anchors}
            assert not ruled_out & set(query.rivals)
            seen += bool(query.rivals)
    assert seen >= 20


def test_all_twins_are_there_when_asked_for():
    scene = toy_scene(THINGS)
    rng = np.random.default_rng(0)
    queries = build_queries(scene, rng, "test", 80, ["pear", "lemon"], all_twins=True)
    amodal = [place for place, query in enumerate(queries) if query.mask_type == "amodal"]
    twins = {query.twin_of: query for query in queries if query.twin_of is not None}
    assert len([place for place in amodal if place in twins]) >= 0.9 * len(amodal) > 10
    assert all(twin.targets == queries[place].targets for place, twin in twins.items())
    assert any(not twin.targets for twin in twins.values())


def test_things_of_a_kind_are_told_apart_when_asked_for():
    scenes = [random_scene(seed) for seed in range(6)]

    def share(tell_apart):
        told = [
            any(
                scene.objects[rival].category == scene.objects[one].category
                for one in query.targets
                for rival in query.rivals
            )
            for scene in scenes
            for query in build_queries(
                scene, np.random.default_rng(1), "test", 40, ["pear"], tell_apart=tell_apart
            )
        ]
        return np.mean(told)

    assert share(tell_apart=True) > 1.3 * share(tell_apart=False)
