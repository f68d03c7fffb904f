import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_chats import save_tiny  # noqa: E402

from askmask.models.hub.attention_proposer import (  # noqa: E402
    AttentionOptions,
    AttentionProposer,
    Example,
    choose_heads,
)
from askmask.models.hub.chat import Chat  # noqa: E402
from askmask.models.hub.loading import Where  # noqa: E402
from askmask.models.hub.reader import Reader  # noqa: E402
from askmask.types import Candidates, Masks  # noqa: E402

IMAGE = np.random.default_rng(0).integers(0, 255, (240, 480, 3), dtype=np.uint8)


class Boxes:
    """Fills each box; remembers its prompts."""

    def refine(self, image, *, points, boxes):
        self.points, self.boxes = points, boxes
        masks = np.zeros((len(boxes), *image.shape[:2]), bool)
        for mask, (x0, y0, x1, y1) in zip(masks, np.rint(boxes).astype(int), strict=True):
            mask[y0:y1, x0:x1] = True
        modal = Masks.from_dense(masks)
        return Candidates(modal, modal, np.full(len(boxes), 0.5, np.float32))


@pytest.fixture(scope="module", params=["qwen2_5_vl", "llava"])
def chat(request, tmp_path_factory):
    folder = save_tiny(request.param, tmp_path_factory.mktemp(request.param))
    return Chat.load(str(folder), Where("cpu"))


@pytest.fixture
def looks_at(monkeypatch):
    """Let one head of the model look at a place that the question names, and all at a corner."""

    def install(layer, head, cells):
        def look(self, prompt, tokens=1):
            rows, columns = self.pictures.grids[0].hw
            maps = torch.full((4, 4, tokens, rows, columns), 0.01)
            maps[..., 0, :] = 0.2  # whatever is asked
            if "can" in self.chat.text(prompt):
                for row, column in cells(rows, columns):
                    maps[layer, head, :, row, column] = 1.0
            return maps

        monkeypatch.setattr(Reader, "look", look)

    return install


def test_a_region_that_a_chosen_head_looks_at_becomes_a_mask(chat, looks_at):
    looks_at(2, 1, lambda rows, columns: [(rows // 2, columns // 2)])
    boxes = Boxes()
    proposer = AttentionProposer(chat, boxes, AttentionOptions(heads=((2, 1),)))
    found = proposer.propose_for(IMAGE, "the red can")
    assert len(found) >= 1
    assert 0 < found.score[0] <= 0.5
    rows, columns = chat.see([IMAGE]).grids[0].hw
    left, top, right, bottom = chat.see([IMAGE]).grids[0].box_xyxy
    x = left + (columns // 2 + 0.5) * (right - left) / columns
    y = top + (rows // 2 + 0.5) * (bottom - top) / rows
    cell = (right - left) / columns
    np.testing.assert_allclose(boxes.points[0, 0], [x, y], atol=0.6 * cell)
    x0, y0, x1, y1 = boxes.boxes[0]
    assert x0 <= x <= x1
    assert y0 <= y <= y1
    assert found.modal[0][int(y), int(x)]


def test_what_is_looked_at_whatever_is_asked_is_left_out(chat, looks_at):
    looks_at(0, 0, lambda rows, columns: [])
    proposer = AttentionProposer(chat, Boxes(), AttentionOptions(((0, 0), (1, 2)), words=0))
    assert float(proposer.evidence(IMAGE, "the red can").max()) == 0
    assert len(proposer.propose_for(IMAGE, "the red can")) == 0


def test_heads_are_chosen_by_what_they_find(chat, looks_at):
    looks_at(3, 2, lambda rows, columns: [(rows - 2, 1)])
    target = np.zeros(IMAGE.shape[:2], bool)
    target[120:, :240] = True
    proposer = AttentionProposer(chat, Boxes(), AttentionOptions())
    examples = [Example(IMAGE, "the red can", target), Example(IMAGE, "the green can", target)]
    assert choose_heads(proposer, examples, 2)[0] == (3, 2)


def test_candidates_of_a_random_model_are_well_formed(chat):
    found_at = Boxes()
    proposer = AttentionProposer(chat, found_at, AttentionOptions(count=4, overlap=0.5, words=3))
    assert proposer.needs_text
    assert len(proposer.propose(IMAGE)) == 0
    found = proposer.propose_for(IMAGE, "the can that is left of the box")
    assert 1 <= len(found) <= 4
    assert found.modal.size_hw == (240, 480)
    assert (found.modal.areas > 0).all()
    flat = found.modal.dense().reshape(len(found), -1)
    for i in range(len(found)):
        for j in range(i):
            assert (flat[i] & flat[j]).sum() <= 0.5 * (flat[i] | flat[j]).sum()
    inside = (found_at.points >= 0).all() and (found_at.points <= [480, 240]).all()
    assert inside
    assert (found_at.boxes[:, :2] < found_at.boxes[:, 2:]).all()


def test_evidence_beside_the_picture_does_not_count(chat):
    proposer = AttentionProposer(chat, Boxes(), AttentionOptions(words=0))
    evidence = proposer.evidence(IMAGE, "the red can")
    assert float(evidence.min()) >= 0
    assert float(evidence.max()) == pytest.approx(1)
    if chat.model.config.model_type == "llava":  # padded to a square above and below
        assert float(evidence[:, :, [0, -1]].max()) == 0
        assert float(evidence[:, :, 1:-1].max()) > 0


def test_choices_are_saved(chat, tmp_path, monkeypatch):
    options = AttentionOptions(heads=((1, 2), (3, 0)), words=5, thresholds=(0.4,), count=3)
    AttentionProposer(chat, Boxes(), options).save(tmp_path)

    class Sam:
        @classmethod
        def load(cls, source, where):
            assert source == "somewhere"
            return Boxes()

    module = "askmask.models.hub.attention_proposer"
    monkeypatch.setattr(f"{module}.class_at", lambda target: Sam)
    loaded = AttentionProposer.load(str(tmp_path), Where("cpu"), sam="somewhere", count=2)
    assert loaded.options == AttentionOptions(((1, 2), (3, 0)), 5, (0.4,), 2)
