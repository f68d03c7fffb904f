import pytest
import torch
from official_llava import picture
from official_mask2former import QUERIES
from official_rela import SIDE, OfficialRela

from askmask.errors import WeightsError
from askmask.models.hub.loading import Where
from askmask.models.hub.published.rela import PublishedRela
from askmask.models.hub.published.rela_parts import RegionDecoder, Voted


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    folder = tmp_path_factory.mktemp("rela")
    with torch.inference_mode():
        made = OfficialRela(folder)
        made.expected, made.otherwise = made.answer("the red mug"), made.answer("the box")
    made.path = folder / "gres.pth"
    made.save(made.path)
    return made


@pytest.fixture(scope="module")
def rela(official):
    bert = str(official.path.parent / "bert")
    return PublishedRela.load(str(official.path), Where("cpu"), tokenizer=bert, side=SIDE)


def test_draws_what_the_authors_code_draws(official, rela, monkeypatch):
    drawn, forward = [], RegionDecoder.forward
    monkeypatch.setattr(
        RegionDecoder, "forward", lambda *given: drawn.append(forward(*given)) or drawn[-1]
    )
    rela.set_image(picture())
    answer = rela.answer("the red mug")
    logits, absent = official.expected
    assert logits.std() > 0.1
    assert (logits - official.otherwise[0]).abs().max() > 1e-2
    torch.testing.assert_close(drawn[0].masks, logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(drawn[0].absent, absent, rtol=0, atol=1e-4)
    assert answer.no_target_probability == pytest.approx(float(absent.softmax(0)[1]), abs=1e-4)


@pytest.mark.parametrize("absent", [False, True])
def test_one_fused_mask_or_none(rela, monkeypatch, absent):
    sure = torch.tensor([0.0, 3.0]) if absent else torch.tensor([3.0, 0.0])
    logits = torch.zeros(2, 32, 32)
    logits[1, :, 16:] = 1
    logits[1, :, :16] = -1
    monkeypatch.setattr(
        RegionDecoder, "forward", lambda *given: Voted(logits, torch.zeros(QUERIES, 2), sure)
    )
    rela.set_image(picture())
    answer = rela.answer("the red mug")
    assert len(answer) == (0 if absent else 1)
    assert (answer.no_target_probability > 0.5) is absent
    if not absent:
        assert answer.modal[0][:, 31:].all()
        assert not answer.modal[0][:, :29].any()
    assert ("it drew no mask" in (answer.rationale or "")) is absent


def test_a_file_that_is_not_there_or_of_another_kind(tmp_path):
    with pytest.raises(WeightsError, match="no such file"):
        PublishedRela.load(str(tmp_path / "gres.pth"), Where("cpu"))
    torch.save({"weights": torch.zeros(1)}, tmp_path / "gres.pth")
    with pytest.raises(WeightsError, match="holds no model: it is of another kind"):
        PublishedRela.load(str(tmp_path / "gres.pth"), Where("cpu"))
