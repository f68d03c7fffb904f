"""PSALM under its authors' names, tiny, and their forward pass in our words."""

import json

import torch
from official_llava import large, picture
from official_mask2former import QUERIES, WIDTH, OfficialMask2Former
from official_weights import Official
from safetensors.torch import save_file
from torch.nn import functional

from askmask.models.hub.loading import transformers
from askmask.models.hub.preprocessing import SAM1

SIDE, SAID = 128, 32
PROMPT = (
    "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to understand "
    "the visual content that the user provides, and assist the user with a variety of tasks using "
    "natural language.\n<</SYS>>\n\nThis is an image ",
    ", Please doing Referring Segmentation according to the following instruction:\n",
    " [/INST] \nSure, the segmentation result is ",
)


class OfficialPsalm(OfficialMask2Former):
    """The authors' `eval_seg` for a sentence, in our words."""

    def __init__(self, folder):
        library = transformers()
        torch.manual_seed(0)
        super().__init__(Official(gain=1))
        self.tokenizer = _tokenizer()
        self.tokenizer.save_pretrained(folder)
        config = library.PhiConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=SAID,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            max_position_embeddings=512,
        )
        self.phi = large(library.PhiModel(config)).eval()
        names = (
            "hidden_size",
            "intermediate_size",
            "num_hidden_layers",
            "num_attention_heads",
            "max_position_embeddings",
            "layer_norm_eps",
        )
        self.config = {"model_type": "llava_phi", **{name: getattr(config, name) for name in names}}
        self.query = self.weights.made("seg_query", QUERIES, SAID)

    def save(self, folder):
        phi = {f"model.{name}": value for name, value in self.phi.state_dict().items()}
        unused = {
            "lm_head.weight": torch.zeros(8, SAID),
            "class_name_projector.weight": torch.zeros(2, 2),
            "region_projector.bias": torch.zeros(2),
            "predictor.CLASS_proj.layers.0.weight": torch.zeros(2, 2),
            "predictor.query_feat.weight": torch.zeros(QUERIES, WIDTH),
        }
        tensors = {**phi, **self.weights, **unused}
        save_file(
            {name: value.clone().contiguous() for name, value in tensors.items()},
            folder / "model.safetensors",
        )
        (folder / "config.json").write_text(json.dumps(self.config))

    def answer(self, sentence):
        """Logits (Q, 32, 32) of masks, and (Q,) of which are meant."""
        w = self.weights
        features = self.eyes(self.pixels(), "model.vision_tower.")
        words = self.shrunk(features[-1])
        encode = lambda text: self.tokenizer(text, add_special_tokens=False).input_ids  # noqa: E731
        first, second, third = (encode(part) for part in PROMPT)
        refer = [*encode(f" {sentence}."), self.tokenizer.convert_tokens_to_ids("[SEG]")]
        embed = self.phi.get_input_embeddings()
        parts = [embed(torch.tensor(ids)) for ids in (first, second, refer, third)]
        read = torch.cat([parts[0], words, parts[1], parts[2], parts[3], self.query])
        states = self.phi(inputs_embeds=read[None]).last_hidden_state[0]
        start = len(first) + len(words) + len(second)
        target = w.linear("SEG_token_projector", states[start : start + len(refer)].mean(0), WIDTH)
        queries = w.linear("seg_query_projector", states[-QUERIES:], WIDTH)
        levels, pixels = self.decoded(features, "pixel_decoder.")
        return self.predicted(levels, pixels, queries, target)

    def pixels(self):
        """(1, 3, S, S): filled up with grey, then normalised."""
        used = SAM1.placement((45, 60), SIDE).used_hw
        assert used == (96, 128)
        mean = torch.tensor([123.675, 116.28, 103.53]).view(3, 1, 1)
        std = torch.tensor([58.395, 57.12, 57.375]).view(3, 1, 1)
        filled = (torch.full((1, 3, SIDE, SIDE), 128.0) - mean) / std
        filled[..., : used[0], :] = SAM1.pixels(picture(), SIDE)[..., : used[0], :]
        return filled

    def shrunk(self, grid):
        """Words (T, SAID) of the coarsest features."""
        w, name = self.weights, "model.mm_projector.layer1.0."
        y = self.batch_norm(
            f"{name}bn1", w.conv(f"{name}conv1", grid, 16, 3, False, stride=2, padding=1)
        )
        y = w.conv(f"{name}conv2", y.relu(), 16, 3, False, padding=1)
        y = self.batch_norm(f"{name}bn2", w.conv(f"{name}conv2", y, 16, 3, False, padding=1))
        skip = w.conv(f"{name}downsample.0", grid, 16, 1, False, stride=2)
        y = (y + self.batch_norm(f"{name}downsample.1", skip)).relu()
        return w.linear("model.mm_projector.fc", y[0].flatten(1).T, SAID)

    def batch_norm(self, name, x):
        w, width = self.weights, x.shape[1]
        mean = w.made(f"{name}.running_mean", width)
        spread = w.setdefault(f"{name}.running_var", torch.linspace(0.5, 2, width))
        w[f"{name}.num_batches_tracked"] = torch.tensor(7)
        return functional.batch_norm(x, mean, spread, *w.scale(name, width))

    def predicted(self, levels, pixels, queries, target):
        w = self.weights
        normed, embedded = self.rounds(
            levels,
            pixels,
            queries,
            "predictor.",
            "transformer_cross_attention_layers",
            "transformer_self_attention_layers",
        )
        meant = w.mlp("predictor.SEG_proj", normed, WIDTH, WIDTH) @ target
        return torch.einsum("qc,chw->qhw", embedded, pixels), meant


def _tokenizer():
    """Phi's kind of tokenizer: pieces of bytes."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    pieces = Tokenizer(models.BPE())
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    pieces.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    pieces.train_from_iterator(["the red mug"], trainer)
    tokenizer = transformers().PreTrainedTokenizerFast(
        tokenizer_object=pieces, eos_token="<|endoftext|>"
    )
    tokenizer.add_tokens(["[SEG]"])
    return tokenizer
