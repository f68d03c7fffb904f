"""The picture of an answer: what is drawn where, for every size of picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from askmask.errors import ShapeError
from askmask.overlay import draw_answer
from askmask.overlay.draw import SMALLEST_SIDE
from askmask.overlay.legend import NARROWEST
from askmask.overlay.palette import colour_of, ink_on
from askmask.overlay.strokes import hatch, inner_point, outline, window
from askmask.types import Answer, Masks, MaskType, Query

GREY = 120


def picture(height: int = 400, width: int = 480) -> NDArray[np.uint8]:
    return np.full((height, width, 3), GREY, np.uint8)


def box(size_hw: tuple[int, int], x0: int, y0: int, x1: int, y1: int) -> NDArray[np.bool_]:
    mask = np.zeros(size_hw, bool)
    mask[y0:y1, x0:x1] = True
    return mask


def answer(
    mask_type: MaskType, modal: list[NDArray[np.bool_]], amodal: list[NDArray[np.bool_]]
) -> Answer:
    stacks = Masks.from_dense(np.stack(modal)), Masks.from_dense(np.stack(amodal))
    group = {
        MaskType.MODAL: stacks[0],
        MaskType.AMODAL: stacks[1],
        MaskType.HIDDEN: Masks.from_dense(stacks[1].dense() & ~stacks[0].dense()),
    }[mask_type]
    shares = {kind: 0.9 if kind is mask_type else 0.05 for kind in MaskType}
    scores = np.linspace(0.9, 0.5, len(modal), dtype=np.float32)
    return Answer(mask_type, shares, group, scores, *stacks)


def nothing(size_hw: tuple[int, int]) -> Answer:
    shares = {MaskType.MODAL: 0.8, MaskType.AMODAL: 0.1, MaskType.HIDDEN: 0.1}
    none, scores = Masks.empty(size_hw), np.zeros(0, np.float32)
    return Answer(MaskType.MODAL, shares, none, scores, none, none, no_target_probability=0.93)


def half_hidden(mask_type: MaskType) -> Answer:
    """One object of 200 x 240 pixels whose right half is hidden."""
    size = (400, 480)
    return answer(mask_type, [box(size, 100, 80, 200, 320)], [box(size, 100, 80, 300, 320)])


VISIBLE = (slice(90, 310), slice(112, 130))  # well inside, away from outline and badge
HIDDEN = (slice(90, 310), slice(215, 285))


def draw(result: Answer, text: str = "the mug", **query: Masks) -> NDArray[np.uint8]:
    height, width = result.masks.size_hw
    return draw_answer(picture(height, width), result, Query(text, **query))


class TestPicture:
    def test_the_panel_is_below_and_the_picture_keeps_its_size(self) -> None:
        drawn = draw(nothing((400, 480)))
        assert drawn.dtype == np.uint8
        assert drawn.shape[0] > 400
        assert drawn.shape[1:] == (480, 3)
        assert (drawn[:400] == GREY).all()  # nothing fits: not a pixel is touched

    def test_the_input_is_not_written_to(self) -> None:
        image = picture()
        draw_answer(image, half_hidden(MaskType.AMODAL), Query("the mug"))
        assert (image == GREY).all()

    def test_same_input_same_output(self) -> None:
        first, second = (draw(half_hidden(MaskType.AMODAL)) for _ in range(2))
        np.testing.assert_array_equal(first, second)

    @pytest.mark.parametrize("size_hw", [(1, 1), (32, 32), (8, 900), (900, 8), (319, 200)])
    def test_small_and_narrow_pictures_get_room(self, size_hw: tuple[int, int]) -> None:
        mask = np.ones(size_hw, bool)
        drawn = draw(answer(MaskType.MODAL, [mask], [mask]))
        factor = -(-SMALLEST_SIDE // max(size_hw))
        assert drawn.shape[0] > size_hw[0] * max(1, factor)
        assert drawn.shape[1] == max(NARROWEST, size_hw[1] * max(1, factor))

    def test_a_large_picture_gets_wider_lines(self) -> None:
        widths = []
        for scale in (1, 4):
            size = (400 * scale, 480 * scale)
            mask = box(size, 100 * scale, 80 * scale, 300 * scale, 320 * scale)
            drawn = draw(answer(MaskType.MODAL, [mask], [mask]))
            row = drawn[100 * scale, 60 * scale : 140 * scale].astype(int)
            widths.append(int((np.abs(row - np.array(colour_of(0))).sum(1) < 60).sum()))
        assert widths[0] >= 1
        assert widths[1] >= 3 * widths[0]

    def test_masks_of_another_size_are_refused(self) -> None:
        with pytest.raises(ShapeError, match="do not fit"):
            draw_answer(picture(40, 40), nothing((40, 41)), Query("the mug"))
        references = Masks.from_dense(np.ones((1, 41, 40), bool))
        with pytest.raises(ShapeError, match="do not fit"):
            draw_answer(picture(40, 40), nothing((40, 40)), Query("[1]", references))

    def test_pictures_of_another_kind_are_refused(self) -> None:
        with pytest.raises(ShapeError, match=r"\(H, W, 3\) uint8"):
            draw_answer(picture().astype(np.float32), nothing((400, 480)), Query("a"))  # type: ignore[arg-type]


class TestMasks:
    def test_amodal_fills_the_visible_and_hatches_the_hidden_part(self) -> None:
        drawn = draw(half_hidden(MaskType.AMODAL)).astype(int)
        assert np.ptp(drawn[VISIBLE], axis=(0, 1)).max() == 0  # one even fill
        assert np.ptp(drawn[HIDDEN], axis=(0, 1)).max() > 60  # stripes
        assert drawn[VISIBLE][0, 0, 2] > GREY  # tinted with the first colour, blue

    def test_stripes_run_at_45_degrees(self) -> None:
        part = draw(half_hidden(MaskType.AMODAL))[HIDDEN].astype(int)
        np.testing.assert_array_equal(part[1:, :-1], part[:-1, 1:])

    def test_modal_leaves_the_hidden_part_alone(self) -> None:
        drawn = draw(half_hidden(MaskType.MODAL)).astype(int)
        elsewhere = drawn[20, 20]
        assert (drawn[HIDDEN] == elsewhere).all()
        assert not (drawn[VISIBLE] == elsewhere).all()

    def test_hidden_hatches_only_the_hidden_part(self) -> None:
        drawn = draw(half_hidden(MaskType.HIDDEN)).astype(int)
        assert (drawn[VISIBLE] == drawn[20, 20]).all()
        assert np.ptp(drawn[HIDDEN], axis=(0, 1)).max() > 60

    def test_what_is_outside_the_answer_fades(self) -> None:
        assert draw(half_hidden(MaskType.MODAL))[20, 20, 0] < GREY

    def test_two_masks_have_two_colours(self) -> None:
        size = (400, 480)
        masks = [box(size, 40, 100, 160, 300), box(size, 300, 100, 420, 300)]
        drawn = draw(answer(MaskType.MODAL, masks, masks)).astype(int)
        left, right = drawn[110, 60], drawn[110, 320]
        assert left[2] > left[0]  # blue
        assert right[0] > right[2]  # orange

    def test_an_empty_mask_in_the_group_is_no_failure(self) -> None:
        none = np.zeros((400, 480), bool)
        drawn = draw(answer(MaskType.HIDDEN, [none], [none]))
        assert drawn.shape[1] == 480

    def test_references_are_outlined_not_filled(self) -> None:
        size = (400, 480)
        reference = box(size, 100, 80, 300, 320)
        drawn = draw(nothing(size), "left of [1]", references=Masks.from_dense(reference[None]))
        assert (drawn[20, :] == GREY).all()
        assert (drawn[200, 130:170] == GREY).all()
        assert drawn[200, 95:105].max() > 200  # white line
        assert drawn[200, 90:110].min() < 60  # on a dark casing


class TestLegend:
    def test_a_long_sentence_wraps_and_is_cut(self) -> None:
        heights = [draw(nothing((300, 480)), text).shape[0] for text in ("a", "a " * 60, "w" * 999)]
        assert heights[0] < heights[1] < heights[2]
        assert draw(nothing((300, 480)), "w" * 2000).shape[0] == heights[2]

    def test_many_scores_make_the_panel_higher(self) -> None:
        mask = box((400, 480), 100, 100, 200, 200)
        few, many = (draw(answer(MaskType.MODAL, [mask] * n, [mask] * n)) for n in (2, 40))
        assert many.shape[0] > few.shape[0]

    def test_no_text_of_the_panel_is_cut_off(self) -> None:
        mask = box((400, 480), 100, 100, 200, 200)
        for n in (1, 7, 8, 9, 40):
            drawn = draw(answer(MaskType.MODAL, [mask] * n, [mask] * n), "a few words " * 9)
            panel = drawn[400:].astype(int)
            for edge in (panel[:3], panel[-3:], panel[:, :3], panel[:, -3:]):
                assert np.ptp(edge, axis=(0, 1)).max() == 0

    @pytest.mark.parametrize("size_hw", [(400, 480), (40, 40)])
    def test_an_unsure_answer_has_lines_more(self, size_hw: tuple[int, int]) -> None:
        sure = nothing(size_hw)
        few, many = (
            draw(replace(sure, unsure=words)) for words in ("one doubt", "many doubts, " * 9)
        )
        assert draw(sure).shape[0] < few.shape[0] < many.shape[0]
        panel = few.astype(int)
        assert np.ptp(panel[-3:], axis=(0, 1)).max() == 0

    def test_characters_beyond_the_font_are_no_failure(self) -> None:
        assert draw(nothing((300, 480)), "die Tasse ☕ 左边\n\tand\x00 more").shape[1] == 480


class TestStrokes:
    @given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**32 - 1))
    @settings(max_examples=60, deadline=None)
    def test_inner_point_lies_in_the_mask(self, height: int, width: int, seed: int) -> None:
        mask = np.random.default_rng(seed).random((height, width)) < 0.3
        found = inner_point(mask)
        if not mask.any():
            assert found is None
        else:
            assert found is not None
            assert mask[int(found[1]), int(found[0])]

    def test_inner_point_of_a_large_mask_is_far_from_its_edge(self) -> None:
        mask = box((900, 1200), 100, 100, 1100, 130) | box((900, 1200), 600, 100, 1000, 500)
        found = inner_point(mask)
        assert found is not None
        x, y, depth = found
        assert 750 < x < 850
        assert 250 < y < 350
        assert depth > 150

    def test_outline_follows_the_edge(self) -> None:
        line = outline(box((60, 60), 20, 20, 40, 40), 4.0)
        assert line[30, 20] == 1
        assert line[30, 19] == 1
        assert line[30, 30] == 0
        assert line[30, 10] == 0

    def test_outline_draws_threads_too(self) -> None:
        assert outline(box((60, 60), 30, 5, 31, 55), 3.0)[30, 30] > 0.9

    def test_hatch_covers_the_share_it_says(self) -> None:
        assert hatch((300, 300), period=10, width=3).mean() == pytest.approx(0.3, abs=0.03)

    def test_window_is_the_box_with_its_margin(self) -> None:
        assert window(box((50, 60), 10, 20, 15, 30), 3) == (slice(17, 33), slice(7, 18))
        assert window(np.zeros((5, 5), bool), 3) is None


def test_ink_reads_on_every_colour() -> None:
    for index in range(7):
        luma = [
            sum(w * c for w, c in zip((0.299, 0.587, 0.114), colour, strict=True))
            for colour in (colour_of(index), ink_on(colour_of(index)))
        ]
        assert abs(luma[0] - luma[1]) > 90
