"""What a detector of words is asked for."""

import pytest

from askmask.models.hub.phrases import noun_phrases


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("Segment the red mug.", ("red mug",)),
        (
            "Show me the complete shape of the cereal box that is partly hidden behind the red mug",
            ("cereal box", "red mug"),
        ),
        ("the mug to the left of [1], and the green bottle", ("mug", "green bottle")),
        ("please outline only the visible part of the dog's bowl!", ("dog's bowl",)),
        ("mug, mug and MUG", ("mug",)),
        ("a hand-painted vase", ("hand-painted vase",)),
        ("Where is it?", ("where is it?",)),
        ("[1]", (",",)),
    ],
)
def test_phrases(text, phrases):
    assert noun_phrases(text) == phrases
