"""The reader without a picture: what it can and what it cannot."""

from __future__ import annotations

import numpy as np
import pytest
from toy import Thing, random_scene, toy_scene

from askmask.formats.askmask import write_entities, write_queries
from askmask.pantry.build import record_from_scene
from askmask.pantry.language.folder import query_record
from askmask.pantry.language.queries import GeneratedQuery
from askmask.pantry.splits.text_only import TextOnly, jaccard, learn, score_text_only
from askmask.types import MaskType

SCENE = ("jar of honey", "can of beans", "jar of honey", "jar of strawberry jam", "apple")


def answers(text, reader=None, kind=None, draws=20):
    reader = reader or TextOnly()
    return {reader.choose(text, SCENE, np.random.default_rng(seed), kind) for seed in range(draws)}


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("Segment the can of beans, please.", {frozenset({1})}),
        ("the apple behind the can of beans", {frozenset({4})}),
        ("all the jars", {frozenset({0, 2, 3})}),
        ("The jars of honey.", {frozenset({0, 2})}),
        ("the left jar of honey", {frozenset({0}), frozenset({2})}),
        ("whatever is left of [1]", {frozenset({place}) for place in range(5)}),
    ],
)
def test_words_choose_what_they_fit(text, chosen):
    assert answers(text) == chosen


def test_being_told_the_kind_helps():
    assert answers("whatever you would spread", kind=(0, 2)) == {frozenset({0}), frozenset({2})}


def test_priors_break_ties_between_categories_only():
    reader = TextOnly()
    for _ in range(30):
        reader.learn("the tallest jar", ["jar of honey", "jar of strawberry jam"], [1])
        reader.learn("the smallest jar", ["jar of honey", "jar of strawberry jam"], [0])
    assert answers("the tallest jar", reader) == {frozenset({3})}
    assert answers("the smallest jar", reader) == {frozenset({0}), frozenset({2})}


@pytest.mark.parametrize(
    ("chosen", "targets", "score"),
    [((), (), 1.0), ((1,), (), 0.0), ((1,), (1,), 1.0), ((1, 2), (2, 3), 1 / 3)],
)
def test_the_jaccard_index(chosen, targets, score):
    assert jaccard(frozenset(chosen), frozenset(targets)) == pytest.approx(score)


def test_scores_stand_beside_chance(tmp_path):
    scene = toy_scene([Thing(name, x=0.3 * place - 0.6) for place, name in enumerate(SCENE)])
    record = record_from_scene(scene, "images/0.png")
    tags = ("reasoning:spatial", "sgdr")
    asked = [
        GeneratedQuery("the can of beans", (), MaskType.MODAL, (1,), ("plain",)),
        GeneratedQuery("the left jar of honey", (), MaskType.MODAL, (0,), tags, rivals=(2,)),
        GeneratedQuery("the pear", (), MaskType.MODAL, (), ("no-target",)),
    ]
    lines = []
    for place, query in enumerate(asked * 40):
        line = query_record(record, query, f"0#{place}", twin=None, dataset="toy")
        line.extra["rivals"] = [one + 1 for one in query.rivals]
        lines.append(line)
    write_entities(tmp_path / "entities-val.jsonl", [record])
    write_queries(tmp_path / "queries-val.jsonl", lines)
    scores = score_text_only(tmp_path, "val", TextOnly())
    assert scores["targeted"].n == 80
    assert scores["sgdr"].n == scores["sgdr:spatial"].n == 40
    assert scores["sgdr"].chance == pytest.approx(1 / 5)
    assert scores["sgdr"].text_only == pytest.approx(0.5, abs=0.2)
    assert scores["sgdr"].kind_known == pytest.approx(0.5, abs=0.2)
    assert scores["targeted"].text_only == pytest.approx((1 + scores["sgdr"].text_only) / 2)
    assert scores["sgdr:geometric"].n == 0
    assert np.isnan(scores["sgdr:geometric"].text_only)


def test_training_scenes_teach():
    reader = learn((random_scene(seed) for seed in range(4)), per_scene=10)
    assert sum(reader.hits.values()) > 50
    assert all(reader.hits[key] <= count for key, count in reader.seen.items())
