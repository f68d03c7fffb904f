import shutil
import subprocess
import sys

import pytest

from askmask.errors import ConfigError, NoRoomError, WeightsError
from askmask.models.hub.loading import Where, load_part, out_of_memory, transformers


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    library = transformers()
    folder = tmp_path_factory.mktemp("clip")
    config = library.CLIPVisionConfig(
        hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2, image_size=8
    )
    library.CLIPVisionModel(config).save_pretrained(folder)
    return folder


def test_loads_a_model_for_evaluation_in_the_asked_precision(clip):
    model = load_part("CLIPVisionModel", str(clip), Where("cpu", "bfloat16"))
    assert not model.training
    assert str(next(model.parameters()).dtype) == "torch.bfloat16"


def test_automatic_precision_on_a_cpu_is_float32():
    assert str(Where("cpu").torch_dtype()) == "torch.float32"


def test_settings_name_what_is_known():
    with pytest.raises(ConfigError, match=r"--device: expected one of auto, cpu, .* got 'tpu'"):
        Where("tpu")
    with pytest.raises(ConfigError, match="--dtype"):
        Where(dtype="int3")


def test_a_device_that_is_not_there():
    import torch

    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(ConfigError, match="torch finds none; use --device cpu"):
        Where("cuda").torch_device()


def test_a_class_that_transformers_lacks():
    with pytest.raises(ConfigError, match="has no NoSuchModel: pip install -U"):
        load_part("NoSuchModel", "anywhere")


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(WeightsError, match="not a folder that this class can load"):
        load_part("CLIPVisionModel", str(tmp_path), Where("cpu"))


def test_a_repository_that_cannot_be_reached(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(WeightsError, match="the hub cannot be reached"):
        load_part("CLIPVisionModel", "askmask/not-there", Where("cpu"))


def test_a_gated_repository_says_how_to_get_in(monkeypatch):
    class GatedRepoError(OSError):
        pass

    def refuse(*args, **settings):
        raise OSError("see the page") from GatedRepoError("401")

    monkeypatch.setattr(transformers().CLIPVisionModel, "from_pretrained", refuse)
    with pytest.raises(WeightsError, match="gated; accept its licence"):
        load_part("CLIPVisionModel", "someone/closed", Where("cpu"))


def test_a_gated_model_of_the_catalog_names_one_that_is_not(monkeypatch):
    class GatedRepoError(OSError):
        pass

    def refuse(*args, **settings):
        raise GatedRepoError("401")

    monkeypatch.setattr(transformers().Sam2Model, "from_pretrained", refuse)
    with pytest.raises(WeightsError, match="run `hf auth login`, or use hub:sam2-large"):
        load_part("Sam2Model", "facebook/sam3@main", Where("cpu"))


@pytest.mark.parametrize(
    ("source", "advice"),
    [("it", "a smaller model"), ("Qwen/Qwen3-VL-8B-Instruct", "hub:qwen3-vl-4b")],
)
def test_too_little_memory_names_smaller_choices(source, advice):
    import torch

    with pytest.raises(NoRoomError, match=f"too small; use {advice}"), out_of_memory(source):
        raise torch.OutOfMemoryError("CUDA out of memory")


def test_a_revision_stands_behind_the_repository(monkeypatch):
    asked = []
    monkeypatch.setattr(
        transformers().AutoConfig,
        "from_pretrained",
        lambda source, **settings: asked.append((source, settings)),
    )
    load_part("AutoConfig", "org/model@abc123")
    load_part("AutoConfig", "org/model")
    assert asked == [("org/model", {"revision": "abc123"}), ("org/model", {})]


def test_a_folder_may_have_an_at_in_its_name(clip, tmp_path):
    odd = tmp_path / "clip@home"
    odd.symlink_to(clip)
    assert load_part("AutoConfig", str(odd)).model_type == "clip_vision_model"


def test_a_broken_torchvision_counts_as_absent(tmp_path):
    broken = tmp_path / "torchvision"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('operator nms does not exist')")
    code = (
        "from askmask.models.hub.loading import transformers;"
        "print(transformers().SamModel.__name__, transformers().CLIPModel.__name__)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": f"{tmp_path}:{':'.join(sys.path)}"},
    )
    assert done.stdout.split() == ["SamModel", "CLIPModel"], done.stderr


def test_a_checkpoint_without_all_weights_is_refused(clip, tmp_path):
    """Transformers fills them with random numbers and warns."""
    from safetensors.torch import load_file, save_file

    shutil.copytree(clip, tmp_path / "cut")
    weights = tmp_path / "cut" / "model.safetensors"
    state = load_file(weights)
    gone = [name for name in state if "self_attn.q_proj" in name]
    save_file({name: state[name] for name in state if name not in gone}, weights, {"format": "pt"})
    with pytest.raises(WeightsError, match=r"lacks 2 weights of CLIPVisionModel, e.g. .*q_proj"):
        load_part("CLIPVisionModel", str(tmp_path / "cut"), Where("cpu"))
