"""The parts of the embedded model that need no trained weights."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from askmask.errors import ConfigError, WeightsError
from askmask.models.embedded.config import EmbeddedConfig
from askmask.models.embedded.decode import decode_proposals, mask_logits
from askmask.models.embedded.picture import Fit, normalise
from askmask.models.embedded.tokens import GEOMETRY, PAIR, make_tokens
from askmask.models.embedded.weights import FILES, EmbeddedWeights

CONFIG = EmbeddedConfig()


def test_dynamic_mask_head_of_numpy_and_torch_agree() -> None:
    torch = pytest.importorskip("torch")
    from askmask.models.embedded.proposer_net import dynamic_masks

    rng = np.random.default_rng(0)
    masks = rng.normal(size=(CONFIG.mask_features, 60, 80)).astype(np.float32)
    parameters = rng.normal(size=(5, CONFIG.dynamic_parameters)).astype(np.float32)
    cells = rng.integers(0, 30, (5, 2))
    ours = mask_logits(CONFIG, masks, parameters, cells)
    theirs = dynamic_masks(
        CONFIG,
        torch.from_numpy(masks[None]),
        torch.from_numpy(parameters),
        torch.zeros(5, dtype=torch.long),
        torch.from_numpy(cells),
    ).numpy()
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-3)


def test_text_tower_equals_the_published_encoder() -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from askmask.models.embedded.text_net import TextTower, minilm_folder

    ours = TextTower.from_minilm().eval()
    theirs = transformers.BertModel.from_pretrained(str(minilm_folder())).eval()
    ids = torch.arange(1000, 1040).reshape(2, 20)
    valid = torch.ones(2, 20, dtype=torch.bool)
    valid[1, 12:] = False
    with torch.no_grad():
        got = ours(ids, valid)[-1][valid]
        expected = theirs(ids, attention_mask=valid.long()).last_hidden_state[valid]
    torch.testing.assert_close(got, expected, rtol=1e-4, atol=1e-4)


def test_no_centre_gives_no_proposals() -> None:
    height, width = CONFIG.cells_hw
    found = decode_proposals(
        CONFIG,
        np.full((height, width), -9, np.float32),
        np.zeros((CONFIG.dynamic_parameters, height, width), np.float32),
        np.zeros((CONFIG.mask_features, *CONFIG.masks_hw), np.float32),
        np.zeros((CONFIG.appearance, height, width), np.float32),
    )
    assert found.logits.shape == (0, 2, *CONFIG.masks_hw)
    assert found.score.shape == (0,)


def test_doubles_are_dropped_and_amodal_holds_modal() -> None:
    height, width = CONFIG.cells_hw
    centre = np.full((height, width), -9, np.float32)
    centre[10, 10], centre[10, 14], centre[20, 30] = 3, 2, 1
    rng = np.random.default_rng(1)
    parameters = np.zeros((CONFIG.dynamic_parameters, height, width), np.float32)
    parameters[-2:, 10, :] = 1  # the bias of both masks: the whole picture
    parameters[:, 20, 30] = rng.normal(size=CONFIG.dynamic_parameters)
    masks = rng.normal(size=(CONFIG.mask_features, *CONFIG.masks_hw)).astype(np.float32)
    appearance = np.zeros((CONFIG.appearance, height, width), np.float32)
    found = decode_proposals(CONFIG, centre, parameters, masks, appearance)
    assert len(found.score) <= 2
    assert found.score[0] == pytest.approx(1 / (1 + np.exp(-3)))
    assert (found.amodal | ~found.modal).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 900), st.integers(1, 900))
def test_fit_keeps_the_picture_inside_the_input(height: int, width: int) -> None:
    fit = Fit((height, width), CONFIG.input_hw)
    used = fit.used_hw
    assert 1 <= used[0] <= CONFIG.input_hw[0]
    assert 1 <= used[1] <= CONFIG.input_hw[1]
    image = fit.image(np.full((height, width, 3), 255, np.uint8))
    assert image.shape == (*CONFIG.input_hw, 3)
    assert (image[: used[0], : used[1]] == 255).all()
    assert fit.masks(np.ones((1, *CONFIG.masks_hw), np.float32)).all()


@settings(max_examples=30, deadline=None)
@given(st.integers(100, 700), st.integers(100, 700), st.integers(0, 2**31))
def test_a_mask_survives_the_way_to_the_grid_and_back(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    fit = Fit((height, width), CONFIG.input_hw)
    top, left = rng.integers(0, height // 2), rng.integers(0, width // 2)
    mask = np.zeros((height, width), bool)
    mask[top : top + height // 2, left : left + width // 2] = True
    back = fit.masks((fit.coverage(mask, CONFIG.masks_hw) - 0.5)[None])[0]
    assert (mask & back).sum() / (mask | back).sum() > 0.85


def test_only_the_surroundings_of_a_mask_are_scaled_without_a_difference() -> None:
    from PIL import Image

    rng = np.random.default_rng(3)
    logits = np.full((1, *CONFIG.masks_hw), -1, np.float32)
    logits[0, 20:31, 33:47] = rng.normal(1, 1, (11, 14))
    ours = Fit((480, 640), CONFIG.input_hw).masks(logits)[0]
    whole = Image.fromarray(logits[0]).resize((640, 480), Image.Resampling.BICUBIC)
    assert (ours != (np.asarray(whole) > 0)).mean() < 1e-4


def test_normalise_moves_channels() -> None:
    values = normalise(np.zeros((2, 4, 5, 3), np.uint8))
    assert values.shape == (2, 3, 4, 5)
    assert values.dtype == np.float32


def _boxes(*boxes: tuple[int, int, int, int]) -> np.ndarray:
    masks = np.zeros((len(boxes), *CONFIG.masks_hw), bool)
    for mask, (top, left, bottom, right) in zip(masks, boxes, strict=True):
        mask[top:bottom, left:right] = True
    return masks


def test_tokens_pool_under_the_mask_and_describe_pairs() -> None:
    appearance = np.zeros((4, *CONFIG.cells_hw), np.float32)
    appearance[1, :, 20:] = 1
    modal = _boxes((10, 4, 20, 14), (10, 60, 20, 70))
    amodal = _boxes((10, 4, 20, 24), (10, 60, 20, 70))
    tokens = make_tokens(appearance, modal, amodal, CONFIG.masks_hw)
    assert tokens.appearance.shape == (2, 8)
    assert tokens.geometry.shape == (2, GEOMETRY)
    assert tokens.pairs.shape == (2, 2, PAIR)
    assert tokens.appearance[0, 1] == 0
    assert tokens.appearance[1, 1] == pytest.approx(1)
    assert tokens.geometry[0, 0] == pytest.approx(9 / 80)
    assert tokens.geometry[0, 11] == pytest.approx(0.5)  # half of it is hidden
    assert tokens.pairs[0, 1, 0] == pytest.approx(56 / 80)  # the second is to the right
    assert tokens.pairs[1, 0, 0] == pytest.approx(-56 / 80)


def test_tokens_of_no_mask_and_of_an_empty_mask_are_finite() -> None:
    appearance = np.ones((4, *CONFIG.cells_hw), np.float32)
    none = np.zeros((0, *CONFIG.masks_hw), bool)
    assert make_tokens(appearance, none, none, (60, 80)).pairs.shape == (0, 0, PAIR)
    empty = np.zeros((1, *CONFIG.masks_hw), bool)
    tokens = make_tokens(appearance, empty, empty, (60, 80))
    assert np.isfinite(tokens.geometry).all()
    assert np.isfinite(tokens.pairs).all()


def test_config_round_trip_and_unknown_keys() -> None:
    assert EmbeddedConfig.from_json(CONFIG.to_json()) == CONFIG
    with pytest.raises(ConfigError, match="inputhw"):
        EmbeddedConfig.from_json({"inputhw": 3})


def test_missing_and_changed_weights_are_named(tmp_path) -> None:
    with pytest.raises(WeightsError, match="holds no exported weights"):
        _ = EmbeddedWeights(str(tmp_path)).folder
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(WeightsError, match=r"image\.onnx is missing"):
        EmbeddedWeights(str(tmp_path)).verify()
    for name in FILES:
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "sha256.txt").write_text("0" * 64)
    with pytest.raises(WeightsError, match="expected SHA-256 0000"):
        EmbeddedWeights(str(tmp_path)).verify()
