"""Slices: who belongs to which."""

import numpy as np
from records import make_query, rows

from askmask.metrics.slices import slices

BIG = (200, 200)


def test_families_and_names() -> None:
    queries = [
        make_query("a", [rows(0, 1)], tags=["reasoning:spatial", "reasoning:multi-step", "plain"]),
        make_query("b", [rows(0, 1)] * 3, mask_type="hidden", references=[rows(0, 2)]),
        make_query("c", [], mask_type=None),
    ]
    found = {name: member.tolist() for name, member in slices(queries).items()}
    yes, no = True, False
    assert found == {
        "mask_type=hidden": [no, yes, no],
        "mask_type=modal": [yes, no, no],
        "reference=with": [no, yes, no],
        "reference=without": [yes, no, yes],
        "targets=0": [no, no, yes],
        "targets=1": [yes, no, no],
        "targets=2-3": [no, yes, no],
        "reasoning=multi-step": [yes, no, no],
        "reasoning=spatial": [yes, no, no],
        "size=small": [yes, yes, no],
    }


def _only(query, family: str) -> list[str]:
    return list(slices([query], [family]))


def test_borders_of_size() -> None:
    area = np.zeros(BIG[0] * BIG[1], bool)
    for pixels, name in [(1023, "small"), (1024, "medium"), (9215, "medium"), (9216, "large")]:
        mask = (area | (np.arange(area.size) < pixels)).reshape(BIG)
        assert _only(make_query("a", [mask], size_hw=BIG), "size") == [f"size={name}"]


def test_borders_of_occlusion() -> None:
    whole = rows(0, 10)
    for visible, name in [(10, "0"), (9, "0-0.2"), (8, "0.2-0.5"), (6, "0.2-0.5"), (5, "0.5+")]:
        query = make_query("a", [whole], mask_type="amodal", modal=[rows(0, visible)])
        assert _only(query, "occlusion") == [f"occlusion={name}"]


def test_occlusion_is_the_same_fact_from_every_mask_type() -> None:
    visible, hidden, whole = rows(0, 6), rows(6, 10), rows(0, 10)
    for query in [
        make_query("a", [visible], mask_type="modal", amodal=[whole]),
        make_query("a", [whole], mask_type="amodal", modal=[visible]),
        make_query("a", [hidden], mask_type="hidden", modal=[visible]),
    ]:
        assert _only(query, "occlusion") == ["occlusion=0.2-0.5"]


def test_occlusion_is_unknown_without_the_other_mask() -> None:
    assert _only(make_query("a", [rows(0, 3)]), "occlusion") == []
    assert _only(make_query("a", [rows(0, 3)], mask_type="amodal"), "occlusion") == []


def test_four_targets_and_more_share_a_slice() -> None:
    for n in (4, 9):
        assert _only(make_query("a", [rows(0, 1)] * n), "targets") == ["targets=4+"]
