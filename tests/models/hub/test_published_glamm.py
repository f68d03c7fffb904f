import numpy as np
import pytest
import torch
from official_llava import WIDTH, OfficialLlava, picture
from official_weights import OfficialSam
from torch.nn import functional

from askmask.models.hub.loading import Where
from askmask.models.hub.preprocessing import SAM1
from askmask.models.hub.published.glamm import PublishedGlamm, roi_align
from askmask.models.hub.published.segmenter import Drawn
from askmask.types import Masks, Query

EYES = 64
SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions. USER: The"
)
OVERVIEW = "provides an overview of the picture."


def sampled(grid, x, y):
    """Bilinear sample of (C, h, w) at a point, as mmcv's RoIAlign takes it."""
    height, width = grid.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return torch.zeros(grid.shape[0])
    x, y = max(x, 0.0), max(y, 0.0)
    left, top = min(int(x), width - 1), min(int(y), height - 1)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    fx, fy = (x - left if right > left else 0), (y - top if bottom > top else 0)
    upper = grid[:, top, left] * (1 - fx) + grid[:, top, right] * fx
    lower = grid[:, bottom, left] * (1 - fx) + grid[:, bottom, right] * fx
    return upper * (1 - fy) + lower * fy


def aligned(grid, box, scale, cells):
    """RoIAlign of one box, sample by sample."""
    x0, y0, x1, y1 = (float(edge) * scale - 0.5 for edge in box)
    wide, high = (x1 - x0) / cells, (y1 - y0) / cells
    found = torch.zeros(grid.shape[0], cells, cells)
    for row in range(cells):
        for column in range(cells):
            for dy in (0.25, 0.75):
                for dx in (0.25, 0.75):
                    x, y = x0 + (column + dx) * wide, y0 + (row + dy) * high
                    found[:, row, column] += sampled(grid, x, y) / 4
    return found


class OfficialGlamm(OfficialLlava):
    """The authors' `evaluate`, with and without a region, in our words."""

    def __init__(self, folder):
        eyes = {"hidden_size": EYES, "num_hidden_layers": 11, "image_size": 42}
        added = ("[SEG]", "<im_start>", "<im_end>", "<bbox>", "<p>", "</p>")
        super().__init__(folder, added, eyes)
        self.sam = OfficialSam(self.weights, "model.grounding_encoder.")
        self.seg, self.box = self.tokenizer.convert_tokens_to_ids(["[SEG]", "<bbox>"])
        self.eyes = self.looked(picture())
        y = self.weights.linear("model.mm_projector.0", self.eyes[-2][1:], WIDTH)
        self.pictured = self.weights.linear("model.mm_projector.2", functional.gelu(y), WIDTH)

    def logits(self, ids, region=None):
        states = self.states(ids, self.pictured, {self.box: region})
        fc = "model.text_hidden_fcs.0"
        states = self.weights.linear(f"{fc}.0", states, WIDTH).relu()
        states = self.weights.linear(f"{fc}.2", states, self.sam.channels)
        prompts = self.told(states, ids, self.seg, len(self.pictured))
        return self.sam.decode(self.sam.encode(SAM1.pixels(picture(), self.sam.side)), prompts)

    def region(self, box):
        """Word of a box x0, y0, x1, y1 in shares of the picture."""
        w, name = self.weights, "model.region_encoder."
        maps = []
        for number, level in enumerate((-11, -8, -5, -2)):
            side = 3 * 2 ** (3 - number)
            grid = self.eyes[level][1:].T.reshape(1, EYES, 3, 3)
            grid = functional.interpolate(grid, (side, side), mode="bilinear", align_corners=True)
            line = torch.linspace(-1, 1, side)
            x = line.expand(side, side)[None, None]
            grid = torch.cat([grid, x, x.transpose(2, 3)], 1)
            maps.append(w.conv(f"{name}mlvl_fuse.input_conv.{number}", grid, EYES, 1))
        for turn in range(5):
            maps = [self.fused(maps, number, turn) for number in range(4)]
        total = 0
        for number, (grid, stride) in enumerate(zip(maps, (14 / 8, 14 / 4, 7, 14), strict=True)):
            crop = aligned(grid[0], box * 224, 1 / stride, 14)[None]
            total = total + w.conv(f"{name}roi_align.pconvs.{number}", crop, EYES, 3, padding=1)
        seen = w.linear(f"{name}roi_align.flatten_linear", total.relu().flatten(1), 1024)
        place = f"{name}roi_align.pos_embedd"
        where = w.norm(f"{place}.2", w.linear(f"{place}.0", box[None], 256).relu())
        where = w.norm(f"{place}.5", w.linear(f"{place}.3", where, 1024).relu())
        return w.linear(f"{name}roi_align.updims", seen + where, WIDTH)

    def fused(self, maps, number, turn):
        """One level after it took channels from its neighbours."""
        name = f"model.region_encoder.mlvl_fuse.fuse_convs.{turn}"
        side = maps[number].shape[-1]
        above, below = maps[min(number + 1, 3)], maps[max(number - 1, 0)]
        taken = [
            functional.interpolate(part, (side, side), mode="bilinear", align_corners=True)
            for part in (above[:, 48:], below[:, 32:48])
        ]
        mixed = torch.cat([maps[number][:, :32], *taken], 1)
        mixed = self.weights.conv(f"{name}.conv", mixed, EYES, 3, bias=False, padding=1)
        return functional.group_norm(mixed, 64, *self.weights.scale(f"{name}.gn", EYES)).relu()


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    with torch.inference_mode():
        made = OfficialGlamm(tmp_path_factory.mktemp("glamm"))
        question = f"{OVERVIEW}\nCan you segment the red mug in this image? ASSISTANT:"
        made.ids = made.prompt(SYSTEM, question)
        made.answer = [made.seg, made.tokenizer.eos_token_id]
        made.say(made.ids, made.pictured, made.answer)
        made.logits([*made.ids, *made.answer])
        made.region(torch.tensor([0.0, 0.0, 1.0, 1.0]))
    made.save(pickled=True)
    return made


@pytest.fixture(scope="module")
def glamm(official):
    return PublishedGlamm.load(str(official.folder), Where("cpu"))


@pytest.fixture
def drawn(monkeypatch):
    """Logits of the masks that are drawn."""
    seen, make = [], Drawn.of
    monkeypatch.setattr(
        Drawn, "of", lambda logits, *more: seen.append(logits) or make(logits, *more)
    )
    return seen


def test_draws_what_the_authors_code_draws(official, glamm, drawn):
    glamm.set_image(picture())
    answer = glamm.answer("red mug")
    with torch.inference_mode():
        expected = official.logits([*official.ids, *official.answer])
    assert expected.std() > 0.1
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert answer.rationale.startswith("GLaMM said: [SEG]")


def test_a_reference_enters_by_its_box(official, glamm, drawn):
    mask = np.zeros((45, 60), bool)
    mask[9:18, 12:48] = True
    query = Query("What is left of [1]?", Masks.from_dense(mask[None]))
    forced = PublishedGlamm.load(glamm.model_id, Where("cpu"), forced=True)
    forced.set_image(picture())
    answer = forced.answer(query)
    assert answer.unsure is None
    tokens = official.tokenizer
    before, after, stop = (
        tokens(text, add_special_tokens=False).input_ids
        for text in (f"{OVERVIEW}\nWhat is left of", "? ASSISTANT:", ".")
    )
    ids = [*official.prompt(SYSTEM, ""), *before, official.box, *after, official.seg, *stop]
    with torch.inference_mode():
        region = official.region(torch.tensor([12 / 60, 9 / 45, 48 / 60, 18 / 45]))
        expected = official.logits(ids, region)
        elsewhere = official.logits(ids, official.region(torch.tensor([0.0, 0.5, 0.5, 1.0])))
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=1e-4)
    assert (expected - elsewhere).abs().max() > 1e-2


def test_a_reference_that_is_not_named_stands_at_the_end(glamm, monkeypatch):
    heard, speak = [], glamm._llava.speak
    monkeypatch.setattr(
        glamm._llava, "speak", lambda pieces, **how: heard.append(pieces) or speak(pieces, **how)
    )
    glamm.set_image(picture())
    references = Masks.from_dense(np.stack([np.ones((45, 60), bool), np.zeros((45, 60), bool)]))
    glamm.answer(Query("the mug beside [1]", references))
    words = [piece if isinstance(piece, str) else tuple(piece.shape) for piece in heard[0][1:]]
    region = (1, WIDTH)
    assert words == [
        (9, WIDTH),
        f"<im_end> {OVERVIEW}\nCan you segment the the mug beside",
        region,
        "",
        region,
        "in this image? ASSISTANT:",
    ]


@pytest.mark.parametrize("box", [(0, 0, 8, 8), (-3, 2, 4, 30), (1.3, 2.7, 1.4, 2.8), (5, 5, 5, 5)])
def test_boxes_are_sampled_as_mmcv_does(box):
    grid = torch.randn(2, 7, 5, generator=torch.Generator().manual_seed(0))
    found = roi_align(grid, torch.tensor([box], dtype=torch.float32), 0.8, 3)
    torch.testing.assert_close(found[0], aligned(grid, box, 0.8, 3), rtol=0, atol=1e-5)
