import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from askmask.errors import WeightsError
from askmask.models.hub.loading import Where
from askmask.models.hub.published.keys import Checkpoint, fill, nested, renamed

RULES = (("old.*.norm1.", "new.*.first."), ("old.skipped.", None), ("old.", "new."))


class Ran:
    """A pickled object that notices when it is unpickled."""

    def __reduce__(self):
        return (print, ("a stranger's code ran",))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "config.json").write_text('{"hidden_size": 3}')
    return tmp_path


def network():
    with torch.device("meta"):
        return nn.ModuleDict({"new": nn.ModuleList([nn.Linear(3, 2), nn.Linear(3, 2)])})


def tensors():
    return {f"old.{n}.{kind}": torch.randn(shape) for n in (0, 1) for kind, shape in KINDS.items()}


KINDS = {"weight": (2, 3), "bias": (2,)}


def test_the_first_rule_that_fits_holds():
    assert renamed("old.7.norm1.weight", RULES) == "new.7.first.weight"
    assert renamed("old.7.norm2.weight", RULES) == "new.7.norm2.weight"
    assert renamed("old.skipped.weight", RULES) is None
    with pytest.raises(KeyError):
        renamed("other.weight", RULES)


def test_a_dot_in_a_rule_is_a_dot():
    with pytest.raises(KeyError):
        renamed("oldX7", RULES)


def test_rules_under_prefixes():
    assert renamed("a.old.7.norm1.weight", nested(RULES, "a.", "b.")) == "b.new.7.first.weight"
    assert renamed("a.old.skipped.weight", nested(RULES, "a.", "b.")) is None


@pytest.mark.parametrize("kind", ["safetensors", "bin"])
def test_shards_are_joined(folder, kind):
    given = tensors()
    names = sorted(given)
    parts = {"one": names[:1], "two": names[1:]}
    for file, part in parts.items():
        save = save_file if kind == "safetensors" else torch.save
        save({name: given[name] for name in part}, folder / f"{file}.{kind}")
    index = {name: f"{file}.{kind}" for file, part in parts.items() for name in part}
    stem = "model.safetensors" if kind == "safetensors" else "pytorch_model.bin"
    (folder / f"{stem}.index.json").write_text(json.dumps({"weight_map": index}))
    checkpoint, net = Checkpoint.open(str(folder)), network()
    assert checkpoint.shape("old.0.weight") == (2, 3)
    assert checkpoint.count("old.") == 2
    fill(net, checkpoint, RULES, Where("cpu", "bfloat16"))
    assert torch.equal(net["new"][1].weight, given["old.1.weight"].bfloat16())
    assert not any(weight.requires_grad for weight in net.parameters())


def test_all_that_does_not_fit_is_named_at_once(folder):
    given = tensors()
    del given["old.0.bias"], given["old.1.bias"]
    given |= {"old.0.weight": torch.zeros(2, 4), "old.5.gain": torch.zeros(1), "x": torch.zeros(1)}
    save_file(given, folder / "model.safetensors")
    with pytest.raises(WeightsError) as error:
        fill(network(), Checkpoint.open(str(folder)), RULES, Where("cpu"))
    assert str(error.value) == (
        f"{folder}: its tensors do not fit this model: missing: new.*.bias x2; not expected: "
        "old.*.gain, x; of another shape: new.*.weight (expected (2, 3), got (2, 4))"
    )


def test_what_is_not_a_tensor_is_not_opened(folder, capsys):
    torch.save({"old.0.weight": Ran()}, folder / "pytorch_model.bin")
    with pytest.raises(WeightsError, match="holds more than tensors, and is not opened"):
        Checkpoint.open(str(folder))
    assert "stranger" not in capsys.readouterr().out


def test_broken_and_missing_files(folder):
    with pytest.raises(WeightsError, match=r"model\.safetensors\.index\.json or .* is missing"):
        Checkpoint.open(str(folder))
    (folder / "model.safetensors").write_bytes(b"half a download")
    with pytest.raises(WeightsError, match="broken, download it again"):
        Checkpoint.open(str(folder))
    index = {"weight_map": {"old.0.weight": "model-00001-of-00001.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(WeightsError, match=r"model-00001-of-00001\.safetensors is missing"):
        Checkpoint.open(str(folder))
    (folder / "model.safetensors.index.json").write_text('{"metadata": {}}')
    with pytest.raises(WeightsError, match="expected an object weight_map; download it again"):
        Checkpoint.open(str(folder))
    (folder / "config.json").unlink()
    with pytest.raises(WeightsError, match=r"config\.json is missing"):
        Checkpoint.open(str(folder))


def test_two_tensors_for_one_place(folder):
    save_file({**tensors(), "older.0.bias": torch.zeros(2)}, folder / "model.safetensors")
    rules = (("older.", "new."), *RULES)
    with pytest.raises(WeightsError, match=r"not expected: older\.\*\.bias"):
        fill(network(), Checkpoint.open(str(folder)), rules, Where("cpu"))


def test_the_checkpoint_of_another_system(folder):
    save_file(tensors(), folder / "model.safetensors")
    checkpoint = Checkpoint.open(str(folder))
    assert checkpoint.option("absent", "hidden_size") == 3
    with pytest.raises(WeightsError, match="has no absent: it is of another kind"):
        checkpoint.option("absent")
    with pytest.raises(WeightsError, match="has no tensor absent: it is of another kind"):
        checkpoint.shape("absent")


def test_files_in_a_folder_of_the_repository(folder):
    inside = folder / "inside"
    inside.mkdir()
    (folder / "config.json").rename(inside / "config.json")
    save_file(tensors(), inside / "model.safetensors")
    assert len(Checkpoint.open(str(folder), "inside").tensors) == 4
