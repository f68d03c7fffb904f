import importlib.util
from functools import cache

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

from tiny_chats import CHATS, save_tiny  # noqa: E402

from askmask.errors import ConfigError, WeightsError  # noqa: E402
from askmask.models.hub.attention import RowsAsked, attention_rows  # noqa: E402
from askmask.models.hub.chat import Chat  # noqa: E402
from askmask.models.hub.loading import Where, load_file, load_part  # noqa: E402
from askmask.models.hub.reader import Reader  # noqa: E402

IMAGE = np.random.default_rng(0).integers(0, 255, (112, 112, 3), dtype=np.uint8)
QUESTIONS = ("Is A meant?", "Is candidate B meant by the sentence?", "no", "Which one, A or B?")


@pytest.fixture(scope="module", params=CHATS)
def chat(request, tmp_path_factory):
    folder = save_tiny(request.param, tmp_path_factory.mktemp(request.param))
    return Chat.load(str(folder), Where("cpu"))


@cache
def eager(source):
    return load_part(
        "AutoModelForImageTextToText", source, Where("cpu"), attn_implementation="eager"
    )


def read_by_transformers(chat, image, ids):
    """What the class of transformers gives for pixels and tokens, with all attentions."""
    model = eager(chat.source)
    pixels = load_part("AutoImageProcessor", chat.source, backend="pil")(
        images=[image], return_tensors="pt"
    )
    ids = torch.tensor([ids])
    pixels.pop("batch_num_images", None)
    if "image_grid_thw" in pixels:
        pixels["mm_token_type_ids"] = (ids == model.config.image_token_id).int()
    with torch.no_grad():
        return model(
            input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=True, **pixels
        )


def test_torchvision_is_not_there():
    assert importlib.util.find_spec("torchvision") is None


def test_endings_read_side_by_side_are_as_if_each_were_read_alone(chat):
    pictures = chat.see([IMAGE])
    prompts = [chat.prompt(question, pictures) for question in QUESTIONS]
    labels = ["yes", "no"]
    ids = chat.label_ids(labels)
    alone = []
    for prompt in prompts:
        logits = read_by_transformers(chat, IMAGE, prompt).logits[0, -1]
        alone.append([float(logits[each].logsumexp(0)) for each in ids])
    together = chat.label_logits(Reader(chat, pictures).read(prompts), labels)
    np.testing.assert_allclose(together, alone, atol=1e-4)
    assert np.ptp(np.array(alone), axis=0).min() > 0.01, "the questions make a difference"


def test_what_was_read_before_changes_nothing(chat):
    pictures = chat.see([IMAGE, IMAGE[:56]])
    prompts = [chat.prompt(question, pictures) for question in QUESTIONS]
    fresh = torch.cat([Reader(chat, pictures).read([prompt]) for prompt in prompts])
    reader = Reader(chat, pictures)
    for order in ([0], [1, 2], [3], [2, 0, 1, 3], [0]):
        found = reader.read([prompts[i] for i in order])
        torch.testing.assert_close(found, fresh[order], atol=1e-4, rtol=0)


def test_attention_rows_are_those_of_full_matrices(chat):
    pictures = chat.see([IMAGE])
    prompt = chat.prompt("Where is the red can?", pictures)
    rows, columns = pictures.grids[0].hw
    place = prompt.index(chat.image_token) + pictures.grids[0].first
    full = torch.stack(read_by_transformers(chat, IMAGE, prompt).attentions)[:, 0]
    wanted = full[:, :, -3:, place : place + rows * columns]
    reader = Reader(chat, pictures)
    for _ in range(2):  # the second time, all but the last tokens were read before
        looks = reader.look(prompt, 3)
        assert looks.shape[-2:] == (rows, columns)
        torch.testing.assert_close(looks.flatten(3), wanted, atol=1e-5, rtol=0)


def test_speaking_is_greedy_and_ends(chat, monkeypatch):
    pictures = chat.see([IMAGE])
    prompt = chat.prompt("What is it?", pictures)
    reader = Reader(chat, pictures)
    said = reader.speak(prompt, 4)
    ids = list(prompt)
    for token in said:
        logits = read_by_transformers(chat, IMAGE, ids).logits[0, -1]
        assert token == int(logits.argmax())
        ids.append(token)
    monkeypatch.setattr(Chat, "ends", {said[1]})
    assert reader.speak(prompt, 4) == said[: said.index(said[1])]


def test_a_wide_picture_is_seen_whole(chat):
    wide = IMAGE[:8]
    pictures = chat.see([np.tile(wide, (1, 10, 1))])
    left, top, right, bottom = pictures.grids[0].box_xyxy
    assert left <= 0 < 1120 <= right
    assert top <= 0 < 8 <= bottom
    if chat.model.config.model_type == "llava":
        assert (right - left, bottom - top) == (1120, 1120)


def test_special_tokens_in_a_sentence_are_left_out(chat):
    pictures = chat.see([IMAGE])
    plain = chat.prompt("the red can", pictures)
    assert chat.prompt("the<|image_pad|> red<|im_end|> can", pictures) == plain


def test_labels_must_be_single_tokens(chat):
    with pytest.raises(ConfigError, match="'Q7' is not a single token"):
        chat.label_ids(["A", "Q7"])
    with pytest.raises(ConfigError, match="share a token"):
        chat.label_ids(["A", "B", "A"])


def test_stages_of_one_model_share_it(chat):
    assert Chat.load(chat.source, Where("cpu")) is chat


@pytest.fixture(scope="module")
def qwen_folder(tmp_path_factory):
    return save_tiny("qwen3_vl", tmp_path_factory.mktemp("chat"))


def test_an_attention_without_rows_is_noticed(qwen_folder):
    model = load_part("AutoModelForImageTextToText", str(qwen_folder), Where("cpu"))
    asked = RowsAsked(torch.tensor([-1]), torch.tensor([0]), frozenset({0, 2}))
    with (
        pytest.raises(ConfigError, match=r"layers \[0, 2\] gave no rows"),
        torch.no_grad(),
        attention_rows(asked),
    ):
        model(input_ids=torch.tensor([[3, 4, 5]]))


def test_a_template_may_lie_in_the_processors_file(tmp_path):
    folder = save_tiny("qwen3_vl", tmp_path)
    template = folder / "chat_template.jinja"
    (folder / "chat_template.json").write_text('{"chat_template": "{{ messages[0].role }}"}')
    template.unlink()
    chat = Chat.load(str(folder), Where("cpu"))
    assert chat.text(chat.prompt("x")) == "user"
    with pytest.raises(WeightsError, match="placed 0 of 1 pictures"):
        chat.prompt("x", chat.see([IMAGE]))
    del chat
    (folder / "chat_template.json").unlink()
    with pytest.raises(WeightsError, match="no chat template"):
        Chat.load(str(folder), Where("cpu"))


def test_another_kind_of_model_is_refused(tmp_path):
    load_part("AutoConfig", str(save_tiny("qwen3_vl", tmp_path))).text_config.save_pretrained(
        tmp_path
    )
    with pytest.raises(ConfigError, match=r"expected a model of qwen2_5_vl, .* got qwen3_vl_text"):
        Chat.load(str(tmp_path), Where("cpu"))


def test_a_file_beside_a_model(tmp_path, monkeypatch):
    (tmp_path / "there.json").write_text("{}")
    assert load_file(str(tmp_path), "there.json") == tmp_path / "there.json"
    assert load_file(str(tmp_path), "other.json") is None
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    assert load_file("askmask/not-there@main", "other.json") is None
