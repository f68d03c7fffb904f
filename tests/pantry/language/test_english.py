"""The generator's English: plurals of nouns and of noun phrases."""

import pytest

from askmask.pantry.language.english import is_plural, plural
from askmask.pantry.language.vocabulary import vocabulary


@pytest.mark.parametrize(
    ("one", "many"),
    [
        ("jar of olives", "jars of olives"),
        ("piece of fresh produce", "pieces of fresh produce"),
        ("thing with a screen", "things with a screen"),
        ("potato", "potatoes"),
        ("toy", "toys"),
        ("toothbrush", "toothbrushes"),
        ("drinking glass", "drinking glasses"),
        ("cactus", "cactuses"),
        ("battery", "batteries"),
        ("toy car", "toy cars"),
        ("loaf of bread", "loaves of bread"),
        ("box on the left", "boxes on the left"),
        ("French fries", "French fries"),
        ("shoes", "shoes"),
        ("scissors", "scissors"),
    ],
)
def test_the_plural_is_of_the_head_and_stays_where_there_is_one(one: str, many: str) -> None:
    assert plural(one) == many
    assert plural(many) == many


@pytest.mark.parametrize("one", ["set of keys", "wine glass", "cactus", "driver for screws", "jar"])
def test_what_follows_the_head_does_not_make_a_plural(one: str) -> None:
    assert not is_plural(one)


def test_no_name_of_the_vocabulary_has_a_plural_of_a_plural() -> None:
    assert not [
        name.many for name in vocabulary().names if name.many and name.many.endswith("eses")
    ]
    assert all(name.many is None for name in vocabulary().names if is_plural(name.text))
