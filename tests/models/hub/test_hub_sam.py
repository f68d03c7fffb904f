"""The three generations of SAM: one embedding a picture, prompts in batches, one mask a prompt."""

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import tiny_proposers as tiny
import torch

from askmask import rle
from askmask.errors import ConfigError, QueryError, ShapeError, WeightsError
from askmask.models.hub.loading import Where, transformers
from askmask.models.hub.preprocessing import SAM1, SAM2, SAM3
from askmask.models.hub.prompts import Prompts
from askmask.models.hub.sam import Sam
from askmask.types import Masks

CPU = Where("cpu")
IMAGE = tiny.picture()
POINTS = np.array([[[20, 15]], [[35, 30]], [[3, 40]], [[50, 5]], [[30, 22]]], np.float32)
BOXES = np.array([[15, 10, 31, 23], [30, 22, 46, 45]], np.float32)


@dataclass(frozen=True)
class Generation:
    folder: str
    class_name: str
    preprocessing: object
    sam: Sam


@pytest.fixture(scope="module", params=["sam1", "sam2", "sam3_tracker"])
def generation(request, tmp_path_factory):
    folder = getattr(tiny, request.param)(tmp_path_factory.mktemp(request.param))
    class_name, preprocessing = {
        "sam1": ("SamModel", SAM1),
        "sam2": ("Sam2Model", SAM2),
        "sam3_tracker": ("Sam3TrackerModel", SAM3),
    }[request.param]
    return Generation(folder, class_name, preprocessing, Sam.load(folder, CPU, batch=2))


def test_is_the_class_of_its_generation(generation):
    assert type(generation.sam.model).__name__ == generation.class_name
    assert generation.sam.preprocessing is generation.preprocessing


@pytest.mark.parametrize("kind", ["points", "boxes"])
def test_equals_the_model_run_directly(generation, kind):
    """In one pass from pixels to masks, all prompts of the picture in one row."""
    model = getattr(transformers(), generation.class_name).from_pretrained(generation.folder).eval()
    side, (height, width) = tiny.SIDE, IMAGE.shape[:2]
    square = generation.preprocessing is not SAM1
    scale = np.array([side / width, side / height if square else side / width], np.float32)
    if kind == "points":
        inputs = {"input_points": torch.from_numpy(POINTS * scale)[None]}
        prompts, several = Prompts(points_xy=POINTS), True
    else:
        corners = BOXES.reshape(2, 2, 2) * scale
        inputs = {"input_boxes": torch.from_numpy(corners.reshape(1, 2, 4))}
        prompts, several = Prompts(boxes_xyxy=BOXES), False
    with torch.no_grad():
        direct = model(
            pixel_values=generation.preprocessing.pixels(IMAGE, side),
            multimask_output=several,
            **inputs,
        )
    found = [*generation.sam.decode(IMAGE, prompts, several=several)]
    assert [len(one.iou) for one in found] == ([2, 2, 1] if kind == "points" else [2])
    logits = torch.cat([one.logits for one in found])
    assert logits.std() > 0.01
    assert torch.allclose(logits, direct.pred_masks[0], atol=1e-4)
    assert torch.allclose(torch.cat([one.iou for one in found]), direct.iou_scores[0], atol=1e-4)


def test_a_picture_is_encoded_once(generation, monkeypatch):
    calls = []
    encode = generation.sam.model.get_image_embeddings
    monkeypatch.setattr(
        generation.sam.model,
        "get_image_embeddings",
        lambda pixels: calls.append(1) or encode(pixels),
    )
    other = IMAGE[::-1]
    first = generation.sam.refine(other, points=POINTS)
    assert generation.sam.refine(other.copy(), points=POINTS).modal.rles == first.modal.rles
    assert len(calls) == 1
    changed = other.copy()
    changed[:20] = 0
    again = generation.sam.refine(changed, points=POINTS)
    assert len(calls) == 2
    assert again.modal.rles != first.modal.rles


def test_refines_to_the_surest_mask_of_each_point(generation):
    found = generation.sam.refine(IMAGE, points=POINTS)
    decoded = [*generation.sam.decode(IMAGE, Prompts(points_xy=POINTS), several=True)]
    logits, iou = torch.cat([d.logits for d in decoded]), torch.cat([d.iou for d in decoded])
    assert found.score == pytest.approx(iou.amax(1).clamp(0, 1).numpy())
    best = logits[range(5), iou.argmax(1)]
    assert [*found.modal.rles] == generation.sam.placement(IMAGE).rles(best)
    assert found.modal.size_hw == IMAGE.shape[:2]
    assert found.amodal is found.modal


def test_prompts_do_not_see_each_other(generation):
    together = generation.sam.refine(IMAGE, boxes=BOXES).modal
    alone = generation.sam.refine(IMAGE, boxes=BOXES[1:]).modal
    assert together.rles[1] == alone.rles[0]
    assert together.rles[0] != together.rles[1]


def test_a_mask_is_a_prompt(generation):
    masks = np.zeros((3, *IMAGE.shape[:2]), bool)
    masks[0, 10:23, 15:31] = masks[1, 22:45, 30:46] = True
    masks[2, 22:45, 30:46] = True
    masks[2, 26:40, 34:42] = False  # the same box, another mask
    found = generation.sam.refine(IMAGE, masks=masks)
    assert len(found) == 3
    same_box = generation.sam.refine(IMAGE, boxes=BOXES)
    prompts = Prompts(boxes_xyxy=BOXES[[0, 1, 1]], masks=masks)
    decoded = generation.sam.decode(IMAGE, prompts, several=False)
    logits = torch.cat([one.logits for one in decoded])
    assert not torch.allclose(logits[1], logits[2], atol=1e-3)
    assert found.modal.rles[0] != same_box.modal.rles[0]
    coded = generation.sam.refine(IMAGE, masks=Masks.from_dense(masks))
    assert coded.modal.rles == found.modal.rles


def test_points_that_fill_up_do_not_count(generation):
    """Where a point labelled -10 lies is all the same."""

    def decoded(points, labels):
        prompts = Prompts(points, labels, np.tile(BOXES[:1], (5, 1)))
        return torch.cat([d.logits for d in generation.sam.decode(IMAGE, prompts, several=False)])

    padded = np.concatenate([POINTS, np.zeros_like(POINTS)], 1)
    moved = padded.copy()
    moved[:, 1] = 30
    filled = decoded(padded, np.array([[1, -10]] * 5))
    assert torch.equal(filled, decoded(moved, np.array([[1, -10]] * 5)))
    beside = decoded(padded, np.array([[1, 0]] * 5))
    assert not torch.equal(beside, decoded(moved, np.array([[1, 0]] * 5)))


def test_lower_precision_only_where_it_does_no_harm(generation):
    """Points and masks are computed in float32; the embedding differs by what bfloat16 loses."""
    sam = Sam.load(generation.folder, Where("cpu", "bfloat16"))
    assert all(weights.dtype == torch.float32 for weights in sam.model.parameters())
    exact, half = generation.sam.embedding(IMAGE), sam.embedding(IMAGE)
    exact, half = (one if isinstance(one, list) else [one] for one in (exact, half))
    for a, b in zip(exact, half, strict=True):
        assert b.dtype == torch.float32
        assert 0 < (a - b).abs().mean() < 0.05 * a.abs().mean()


def test_no_prompts_find_nothing(generation):
    found = generation.sam.refine(IMAGE, boxes=np.zeros((0, 4)))
    assert len(found) == 0
    assert found.modal.size_hw == IMAGE.shape[:2]
    assert len(generation.sam.refine(IMAGE, masks=Masks.empty((45, 60)))) == 0


def test_refuses_what_is_no_prompt(generation):
    sam = generation.sam
    with pytest.raises(QueryError, match="mask 1 has no pixels"):
        sam.refine(IMAGE, masks=np.array([np.ones((45, 60)), np.zeros((45, 60))], bool))
    with pytest.raises(ShapeError, match=r"masks: expected \(P, 45, 60\) bool, got \(1, 9, 9\)"):
        sam.refine(IMAGE, masks=np.ones((1, 9, 9), bool))
    with pytest.raises(ShapeError, match=r"masks: expected \(P, 45, 60\) bool"):
        sam.refine(IMAGE, masks=np.ones((2, 9, 9), bool), boxes=BOXES)
    with pytest.raises(ShapeError, match="in each of nothing"):
        sam.refine(IMAGE)
    with pytest.raises(ShapeError, match="points_xy of shape"):
        sam.refine(IMAGE, points=[[1, 2]])
    with pytest.raises(ShapeError, match="boxes_xyxy of shape"):
        sam.refine(IMAGE, boxes=[1, 2, 3, 4])
    with pytest.raises(ShapeError, match="one label a point"):
        sam.refine(IMAGE, points=POINTS, labels=[[1, 1]] * 5)
    with pytest.raises(ShapeError, match="one row a prompt"):
        sam.refine(IMAGE, points=POINTS, boxes=BOXES)


def test_takes_a_published_sam2_which_knows_videos_too(tmp_path):
    folder = tiny.sam2_video(tmp_path)
    saved = transformers().Sam2VideoModel.from_pretrained(folder).state_dict()
    sam = Sam.load(folder, CPU)
    assert type(sam.model).__name__ == "Sam2Model"
    assert all(torch.equal(saved[name], value) for name, value in sam.model.state_dict().items())
    assert len(sam.refine(IMAGE, points=POINTS)) == 5


def test_refuses_other_models(tmp_path):
    library = transformers()
    config = library.CLIPVisionConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=8
    )
    library.CLIPVisionModel(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"expected a model of kind sam, sam2, .* got 'clip"):
        Sam.load(str(tmp_path), CPU)
    with pytest.raises(WeightsError):
        Sam.load(str(tmp_path / "nowhere"), CPU)


def test_a_perfect_model_gives_the_object_back(generation, monkeypatch):
    """Nothing moves between the prompt's frame and the picture's: a stand-in draws its boxes."""

    class Drawing:
        get_image_embeddings = generation.sam.model.get_image_embeddings

        def __call__(self, *, image_embeddings, multimask_output, input_boxes):
            middles = (torch.arange(4 * tiny.SIDE) + 0.5) / 4  # of cells, in pixels of the input
            low, high = input_boxes[:, 0, :2, None], input_boxes[:, 0, 2:, None]
            x, y = ((middles > low) & (middles < high)).unbind(1)
            inside = (y[:, :, None] & x[:, None, :]).float() * 2 - 1
            return SimpleNamespace(
                pred_masks=inside[:, None, None], iou_scores=torch.ones(len(inside), 1, 1)
            )

    monkeypatch.setattr(generation.sam, "model", Drawing())
    found = generation.sam.refine(IMAGE, boxes=[[12, 12, 48, 36]])
    wanted = np.zeros((45, 60), bool)
    wanted[12:36, 12:48] = True
    assert rle.iou(found.modal.rles[0], rle.encode(wanted)) > 0.95
