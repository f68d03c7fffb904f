import numpy as np
import pytest
import torch
from official_llava import picture
from official_psalm import SIDE, OfficialPsalm

from askmask.models.hub.loading import Where
from askmask.models.hub.published.psalm import PublishedPsalm
from askmask.models.hub.published.psalm_parts import QueryDecoder


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    folder = tmp_path_factory.mktemp("psalm")
    with torch.inference_mode():
        made = OfficialPsalm(folder)
        made.expected = made.answer("the red mug")
        made.otherwise = made.answer("the red dug")
        made.save(folder)
    made.folder = folder
    return made


@pytest.fixture(scope="module")
def psalm(official):
    return PublishedPsalm.load(str(official.folder), Where("cpu"), side=SIDE)


def test_draws_what_the_authors_code_draws(official, psalm, monkeypatch):
    drawn, forward = [], QueryDecoder.forward
    monkeypatch.setattr(
        QueryDecoder, "forward", lambda *given: drawn.append(forward(*given)) or drawn[-1]
    )
    psalm.set_image(picture())
    answer = psalm.answer("the red mug")
    logits, meant = official.expected
    assert logits.std() > 0.1
    assert (logits - official.otherwise[0]).abs().max() > 1e-2
    torch.testing.assert_close(drawn[0][0], logits, rtol=0, atol=1e-4)
    torch.testing.assert_close(drawn[0][1], meant, rtol=0, atol=1e-4)
    inside = logits[:, :24] > 0
    certain = (logits[:, :24].sigmoid() * inside).sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)
    scores = meant.sigmoid() * certain
    wanted = sorted(scores[scores >= min(0.6, float(scores.max()))].tolist(), reverse=True)
    assert answer.scores == pytest.approx(wanted, abs=1e-4)
    assert answer.masks.size_hw == (45, 60)


def test_where_no_mask_is_sure_the_best_one_answers(psalm):
    strict = PublishedPsalm.load(psalm.model_id, Where("cpu"), side=SIDE, least_score=1.0)
    strict.set_image(picture())
    best = strict.answer("the red mug")
    psalm.set_image(picture())
    assert len(best) == 1
    assert best.scores[0] == pytest.approx(float(np.max(psalm.answer("the red mug").scores)))
