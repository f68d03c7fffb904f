import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_chats import save_tiny  # noqa: E402

from askmask.errors import ConfigError, DataError  # noqa: E402
from askmask.models.hub.asked_type import ChatMaskTyper  # noqa: E402
from askmask.models.hub.calibration import Calibration  # noqa: E402
from askmask.models.hub.chat import Chat  # noqa: E402
from askmask.models.hub.judge import WAYS, Judge, JudgeOptions  # noqa: E402
from askmask.models.hub.loading import Where  # noqa: E402
from askmask.models.hub.numbered import numbered_picture  # noqa: E402
from askmask.models.hub.reader import Reader  # noqa: E402
from askmask.models.pipeline import Pipeline  # noqa: E402
from askmask.types import Candidates, Masks, MaskType, Query  # noqa: E402

IMAGE = np.random.default_rng(0).integers(0, 255, (96, 128, 3), dtype=np.uint8)


def candidates(count):
    masks = np.zeros((count, 96, 128), bool)
    for i, mask in enumerate(masks):
        mask[(i // 6) * 16 : (i // 6) * 16 + 14, (i % 6) * 20 : (i % 6) * 20 + 16] = True
    stack = Masks.from_dense(masks)
    return Candidates(stack, stack, np.ones(count, np.float32))


class Typer:
    def mask_types(self, texts):
        return [{MaskType.MODAL: 0.7, MaskType.AMODAL: 0.2, MaskType.HIDDEN: 0.1}] * len(texts)


@pytest.fixture(scope="module")
def chat(tmp_path_factory):
    return Chat.load(str(save_tiny("qwen3_vl", tmp_path_factory.mktemp("judge"))), Where("cpu"))


def judge(chat, way="listwise", **options):
    return Judge(chat, JudgeOptions(way=way, **options), Typer())


def label_logits(chat, pictures, text, labels):
    """Logits of labels as the next word after a question, the picture seen and read anew."""
    seen = chat.see(pictures)
    return chat.label_logits(Reader(chat, seen).read([chat.prompt(text, seen)]), labels)[0]


def test_listwise_is_one_pass_over_all_labels(chat):
    found = candidates(5)
    scores = judge(chat).scores(IMAGE, found, Query("the red can"))
    shown = numbered_picture(IMAGE, found.modal, labels="ABCDE")
    text = (
        f'{shown.words} The sentence: "the red can". Which candidate is meant by the sentence? '
        "Answer with its label alone, or with Z when none of them is meant."
    )
    logits = label_logits(chat, shown.pictures, text, [*"ABCDE", "Z"])
    np.testing.assert_allclose(scores.select, logits[:5] - logits[5], atol=1e-4)
    odds = np.exp(logits)
    assert scores.none == pytest.approx(np.log(odds[5] / odds[:5].sum()), abs=1e-4)


def test_pointwise_shares_the_picture_and_equals_separate_passes(chat):
    found = candidates(4)
    scores = judge(chat, "pointwise").scores(IMAGE, found, Query("the red can"))
    shown = numbered_picture(IMAGE, found.modal, labels="ABCD")
    before = f'{shown.words} The sentence: "the red can". Answer with yes or no alone: is '
    for label, logit in [*zip("ABCD", scores.select, strict=True), (None, scores.none)]:
        asked = f"candidate {label}" if label else "none of the candidates"
        text = f"{before}{asked} meant by the sentence?"
        yes, no = label_logits(chat, shown.pictures, text, ["yes", "no"])
        assert logit == pytest.approx(yes - no, abs=1e-4)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("crops", [False, True])
def test_a_judge_that_knows_the_truth_selects_it(chat, monkeypatch, way, crops):
    """Its logits come from the labels that it is shown; all the rest is as ever."""
    found, truth = candidates(9), 6

    def knowing(self, hidden, labels):
        if labels == ["yes", "no"]:
            right = np.arange(len(hidden)) == truth
            return np.stack([np.where(right, 3.0, -3.0), np.zeros(len(hidden))], 1)
        if "Z" not in labels:  # of pairs: the best four, of which the truth is the first
            return np.tile([4.0, 0.0, 0.0, 0.0], (len(hidden), 1))
        return np.array([[*np.where(np.arange(9) == truth, 3.0, -3.0), 0.0]])

    monkeypatch.setattr(Chat, "label_logits", knowing)
    answer = judge(chat, way, crops=crops, thinking=3).select(IMAGE, found, Query("the red can"))
    np.testing.assert_array_equal(answer.masks.dense(), found.modal[[truth]].dense())
    assert answer.no_target_probability < 0.5 < answer.scores[0]
    assert answer.mask_type is MaskType.MODAL


def test_pairs_decide_the_order_of_the_best_in_both_orders_of_asking(chat, monkeypatch):
    asked = []

    def first_is_favoured(self, hidden, labels):
        if "Z" in labels:
            return np.array([[2.0, 1.0, 0.0, -1.0, -2.0, 0.0]])
        asked.append((len(hidden), labels))
        # Shown as A, B, C; C is better than B, B than A; and whoever is asked first has 5 more.
        rows = []
        for first in (0, 0, 1, 1, 2, 2):
            row = np.array([0.0, 1.0, 2.0])
            row[first] += 5
            rows.append(row)
        return np.array(rows)

    monkeypatch.setattr(Chat, "label_logits", first_is_favoured)
    scores = judge(chat, "pairwise", top=3).scores(IMAGE, candidates(5), Query("the red can"))
    assert asked == [(6, ("A", "B", "C"))]
    np.testing.assert_allclose(scores.select, [0.0, 1.0, 2.0, -1.0, -2.0])


def test_reasoning_goes_before_the_label_and_is_told(chat, monkeypatch):
    thought = chat.said("A label")
    monkeypatch.setattr(Reader, "speak", lambda self, prompt, most: thought[:most])
    read = []
    monkeypatch.setattr(
        Reader, "read", lambda self, prompts: read.append(prompts[0]) or torch.zeros(1, 64)
    )
    answer = judge(chat, "reasoning").select(IMAGE, candidates(2), Query("the red can"))
    so = chat.said("\nThe label of the candidate that is meant, or Z when none is:")
    assert read[0][-len(so) - len(thought) :] == thought + so
    assert answer.rationale.startswith("A label (")


def test_more_candidates_than_letters_take_several_pictures(chat):
    found = candidates(30)
    scores = judge(chat).scores(IMAGE, found, Query("the red can"))
    first = Candidates(found.modal[:25], found.amodal[:25], found.score[:25])
    alone = judge(chat).scores(IMAGE, first, Query("the red can"))
    np.testing.assert_allclose(scores.select[:25], alone.select, atol=1e-4)
    assert len(scores.select) == 30


def test_references_and_crops_are_shown(chat, monkeypatch):
    seen = []
    see = Chat.see
    monkeypatch.setattr(
        Chat, "see", lambda self, pictures: seen.append(pictures) or see(self, pictures)
    )
    asking, found = judge(chat, crops=True), candidates(2)
    plain = asking.scores(IMAGE, found, Query("the red can"))
    again = asking.scores(IMAGE, found, Query("the red can"))
    np.testing.assert_allclose(plain.select, again.select, atol=1e-4)
    assert [len(pictures) for pictures in seen] == [3], "the second time, nothing is seen anew"
    asking.scores(IMAGE, found, Query("what is beside [1]", references=found.modal[:1]))
    asking.scores(IMAGE, found, Query("what is beside [1]", references=found.modal[1:]))
    assert len(seen) == 3
    assert not np.array_equal(seen[1][0], seen[0][0])
    assert not np.array_equal(seen[2][0], seen[1][0])


def test_without_candidates_nobody_is_asked(chat, monkeypatch):
    monkeypatch.setattr(Chat, "see", None)
    answer = judge(chat).select(IMAGE, candidates(0), Query("the red can"))
    assert len(answer) == 0
    assert answer.no_target_probability == 1.0


def test_it_is_the_last_stage_of_a_pipeline(chat):
    class Proposer:
        def propose(self, image):
            return candidates(3)

    model = Pipeline(Proposer(), None, judge(chat))
    model.set_image(IMAGE)
    answer = model.answer(Query("the red can", mask_type=MaskType.AMODAL))
    assert answer.mask_type is MaskType.AMODAL
    assert sum(answer.mask_type_probability.values()) == pytest.approx(1)


def test_mask_types_that_the_model_is_asked_for(chat):
    texts = ["the red can", "only the hidden part of the can", "the whole can"]
    together = ChatMaskTyper(chat).mask_types(texts)
    for text, shares in zip(texts, together, strict=True):
        assert sum(shares.values()) == pytest.approx(1)
        (alone,) = ChatMaskTyper(chat).mask_types([text])
        assert shares == pytest.approx(alone, abs=1e-4)
    assert ChatMaskTyper(chat).mask_types([]) == []


def test_calibration_is_saved_and_used(chat, tmp_path):
    calibration = Calibration(0.5, -1.0, (1.0, 0.2, -0.1), 0.9, 0.3, 0.7)
    options = JudgeOptions("pointwise", marks="outline", mask_type="asked", calibration=calibration)
    Judge(chat, options, Typer()).save(tmp_path)
    loaded = Judge.load(str(tmp_path), Where("cpu"), way="listwise")
    assert loaded.options == JudgeOptions(
        "listwise", marks="outline", mask_type="asked", calibration=calibration
    )
    found = candidates(3)
    raw = loaded.scores(IMAGE, found, Query("the red can"))
    answer = loaded.select(IMAGE, found, Query("the red can"))
    score = 1 / (1 + np.exp(-(0.5 * raw.select - 1.0)))
    chosen = np.sort(score[score >= 0.3])[::-1] if (score >= 0.3).any() else [score.max()]
    np.testing.assert_allclose(answer.scores, chosen, rtol=1e-5)


def test_wrong_options_and_files_are_refused(chat, tmp_path):
    with pytest.raises(ConfigError, match=r"way: expected listwise or .* got 'best'"):
        JudgeOptions(way="best")
    with pytest.raises(TypeError, match="unexpected keyword argument 'wey'"):
        Judge.load(chat.source, Where("cpu"), wey="listwise")
    with pytest.raises(ConfigError, match="way: expected listwise"):
        Judge.load(chat.source, Where("cpu"), way="best")
    for text in ("[]", "{", '{"source": "here", "options": {"wey": "listwise"}}'):
        (tmp_path / "judge.json").write_text(text)
        with pytest.raises(DataError, match=r"judge.json: expected a source and options"):
            Judge.load(str(tmp_path), Where("cpu"))
