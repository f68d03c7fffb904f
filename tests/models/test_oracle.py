"""Oracles: which stage's truth changes what in an answer, and what they never invent."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from askmask import rle
from askmask.models.oracle import AS_ANSWERED, ORACLES, STAGES, Asked, Scene, oracle_masks
from askmask.types import Answer, Candidates, Masks, MaskType

SIZE = (10, 12)


def columns(start: int, stop: int) -> NDArray[np.bool_]:
    mask = np.zeros(SIZE, bool)
    mask[:, start:stop] = True
    return mask


# Three objects: the first half hidden, the second seen whole, the third found by no candidate.
MODAL = [columns(0, 2), columns(4, 8), columns(10, 12)]
AMODAL = [columns(0, 4), columns(4, 8), columns(10, 12)]
# Candidates: rough ones of the first two, a worse double of the second, and one of nothing.
FOUND = [columns(0, 3), columns(4, 7), columns(5, 8) & ~columns(7, 8), columns(8, 10)]
COMPLETED = [columns(0, 5), columns(4, 7), columns(5, 7), columns(8, 10)]


def stack(masks: list[NDArray[np.bool_]]) -> Masks:
    return Masks.from_dense(np.array(masks, bool).reshape(-1, *SIZE))


def scene(amodal: list[NDArray[np.bool_] | None] | None = None) -> Scene:
    candidates = Candidates(stack(FOUND), stack(COMPLETED), np.ones(4, np.float32))
    whole = AMODAL if amodal is None else amodal
    return Scene(
        [rle.encode(mask) for mask in MODAL],
        [None if mask is None else rle.encode(mask) for mask in whole],
        candidates,
    )


def answer(*chosen: int, mask_type: MaskType = MaskType.MODAL) -> Answer:
    modal, amodal = (stack([masks[i] for i in chosen]) for masks in (FOUND, COMPLETED))
    group = {
        MaskType.MODAL: modal,
        MaskType.AMODAL: amodal,
        MaskType.HIDDEN: Masks.from_dense(amodal.dense() & ~modal.dense()),
    }[mask_type]
    shares = {kind: float(kind is mask_type) for kind in MaskType}
    return Answer(mask_type, shares, group, np.ones(len(chosen), np.float32), modal, amodal)


def told(oracle: str, given: Answer, asked: Asked, where: Scene | None = None) -> list[list[bool]]:
    masks = oracle_masks(given, where or scene(), asked, ORACLES[oracle])
    return [rle.decode(mask)[0].tolist() for mask in masks]


def first_row(*masks: NDArray[np.bool_]) -> list[list[bool]]:
    return [mask[0].tolist() for mask in masks]


WHOLE_FIRST = Asked(MaskType.AMODAL, (0,))


def test_there_is_an_oracle_for_every_set_of_stages() -> None:
    assert len(ORACLES) == 2 ** len(STAGES)
    assert ORACLES[AS_ANSWERED] == frozenset()
    assert [*ORACLES][-1] == "type+selection+masks"


@pytest.mark.parametrize(
    ("oracle", "expected"),
    [
        ("as answered", [FOUND[1]]),
        ("type", [COMPLETED[1]]),
        ("selection", [FOUND[0]]),
        ("masks", [MODAL[1]]),
        ("type+selection", [COMPLETED[0]]),
        ("type+masks", [AMODAL[1]]),
        ("selection+masks", [MODAL[0]]),
        ("type+selection+masks", [AMODAL[0]]),
    ],
)
def test_each_oracle_replaces_its_stages_alone(
    oracle: str, expected: list[NDArray[np.bool_]]
) -> None:
    """The whole first object is asked for; the visible part of the second is answered."""
    assert told(oracle, answer(1), WHOLE_FIRST) == first_row(*expected)


def test_hidden_is_amodal_without_modal() -> None:
    asked = Asked(MaskType.HIDDEN, (0,))
    assert told("type", answer(0), asked) == first_row(columns(3, 5))
    assert told("type+masks", answer(0), asked) == first_row(columns(2, 4))


def test_as_answered_is_the_models_own_mask() -> None:
    given = answer(0, mask_type=MaskType.HIDDEN)
    assert told(AS_ANSWERED, given, WHOLE_FIRST) == first_row(columns(3, 5))


def test_of_two_candidates_of_an_object_the_nearer_is_selected() -> None:
    assert told("selection", answer(), Asked(MaskType.MODAL, (1,))) == first_row(FOUND[1])


def test_objects_without_a_candidate_stay_missing_whatever_is_known() -> None:
    asked = Asked(MaskType.MODAL, (0, 2))
    assert told("type+selection+masks", answer(), asked) == first_row(MODAL[0])
    assert told("type+selection+masks", answer(), Asked(None, (2,))) == []


def test_a_mask_of_no_object_keeps_its_shape() -> None:
    assert told("masks", answer(3), WHOLE_FIRST) == first_row(FOUND[3])


def test_no_target_means_no_mask_by_selection_only() -> None:
    asked = Asked(MaskType.MODAL, ())
    assert told("selection", answer(0), asked) == []
    assert told("type+masks", answer(0), asked) == first_row(MODAL[0])


def test_an_unknown_type_leaves_the_answered_one() -> None:
    given = answer(0, mask_type=MaskType.AMODAL)
    assert told("type", given, Asked(None, (0,))) == first_row(COMPLETED[0])


def test_an_unknown_complete_shape_leaves_the_guessed_hidden_part() -> None:
    unknown = scene([None, None, None])
    given = answer(0, mask_type=MaskType.AMODAL)
    assert told("masks", given, WHOLE_FIRST, unknown) == first_row(COMPLETED[0])
    assert told("masks", answer(0), WHOLE_FIRST, unknown) == first_row(MODAL[0])


def test_pictures_without_candidates_or_objects() -> None:
    none = Candidates(Masks.empty(SIZE), Masks.empty(SIZE), np.zeros(0, np.float32))
    empty = Scene([rle.encode(mask) for mask in MODAL], [None] * 3, none)
    assert told("type+selection+masks", answer(), WHOLE_FIRST, empty) == []
    bare = Scene([], [], none)
    assert told("masks", answer(0), Asked(None, ()), bare) == first_row(FOUND[0])
