"""Tiny published folders of systems on LLaVA, and their forward pass in our words."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from official_weights import Official
from safetensors.torch import save_file
from torch import Tensor

from askmask.models.hub.loading import transformers

WIDTH, EYES = 32, 24
"""Width of the tiny LLaMA and of the tiny CLIP."""

_TEXT = ["What is the red mug in this image? Please output segmentation mask.", "Sure, it is ."]
_IMAGE = -200
"""Number that stands for the picture in the authors' code."""


def picture(height: int = 45, width: int = 60) -> np.ndarray:
    """(H, W, 3) uint8: a block on a noisy ground."""
    image = np.random.default_rng(0).integers(60, 120, (height, width, 3), np.uint8)
    image[height // 4 : height // 2, width // 4 : width // 2] = (220, 60, 40)
    return image


class OfficialLlava:
    """LLaMA under the authors' names, a CLIP in a folder of its own, and the splice of both."""

    def __init__(
        self, folder: Path, added: tuple[str, ...], eyes_side: int, eyes_layers: int
    ) -> None:
        """Write CLIP and a tokenizer with `added` tokens into `folder`."""
        library = transformers()
        torch.manual_seed(0)
        self.folder = folder
        self.tokenizer = _tokenizer(added)
        self.tokenizer.save_pretrained(folder)
        config = library.LlamaConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=WIDTH,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=1024,
        )
        self.llama = _large(library.LlamaForCausalLM(config)).eval()
        self.clip = _large(
            library.CLIPVisionModel(
                library.CLIPVisionConfig(
                    hidden_size=EYES,
                    intermediate_size=EYES,
                    num_hidden_layers=eyes_layers,
                    num_attention_heads=2,
                    image_size=eyes_side,
                    patch_size=14,
                )
            )
        ).eval()
        self.clip.save_pretrained(folder / "clip")
        self.processor = library.CLIPImageProcessorPil(
            size={"shortest_edge": eyes_side}, crop_size={"height": eyes_side, "width": eyes_side}
        )
        self.processor.save_pretrained(folder / "clip")
        self.weights = Official()
        self.config = {
            "model_type": "llava",
            "mm_hidden_size": EYES,
            "mm_vision_select_layer": -2,
            "vision_tower": str(folder / "clip"),
            **{
                name: getattr(config, name)
                for name in (
                    "vocab_size",
                    "hidden_size",
                    "intermediate_size",
                    "num_hidden_layers",
                    "num_attention_heads",
                    "num_key_value_heads",
                    "max_position_embeddings",
                    "rms_norm_eps",
                )
            },
        }

    def save(self, *, shards: int = 2, pickled: bool = False) -> str:
        """Write everything as the authors do, in several files with an index."""
        tensors = {**self.llama.state_dict(), **self.weights}
        # Kept by the transformers of then, which computes it anew today.
        tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.zeros(4)
        names = sorted(tensors)
        kind = "bin" if pickled else "safetensors"
        stem = "pytorch_model" if pickled else "model"
        index = {}
        for number in range(shards):
            file = f"{stem}-{number + 1:05}-of-{shards:05}.{kind}"
            part = {name: tensors[name].clone().contiguous() for name in names[number::shards]}
            index |= dict.fromkeys(part, file)
            if pickled:
                torch.save(part, self.folder / file)
            else:
                save_file(part, self.folder / file)
        (self.folder / f"{stem}.{kind}.index.json").write_text(json.dumps({"weight_map": index}))
        (self.folder / "config.json").write_text(json.dumps(self.config))
        return str(self.folder)

    def say(self, ids: list[int], pictured: Tensor, answer: list[int]) -> None:
        """Change the language head so that it says `answer` when it has read `ids`."""
        wanted = torch.eye(len(self.tokenizer))[answer]
        read = [self.states([*ids, *answer[:n]], pictured)[-1] for n in range(len(answer))]
        self.llama.lm_head.weight.data = (torch.linalg.pinv(torch.stack(read)) @ wanted).T

    def pictured(self, image: np.ndarray, project: Callable[[Tensor], Tensor]) -> Tensor:
        """(G, width): what the language model sees of a picture."""
        pixels = self.processor(image, return_tensors="pt").pixel_values
        return project(self.clip(pixels, output_hidden_states=True).hidden_states[-2][0, 1:])

    def prompt(self, before: str, after: str) -> list[int]:
        """Tokens of a prompt; each side of the picture begins as a text of its own."""
        start, end = (
            self.tokenizer.convert_tokens_to_ids(f"<im_{side}>") for side in ("start", "end")
        )
        first, last = (
            self.tokenizer(part, add_special_tokens=False).input_ids for part in (before, after)
        )
        return [self.tokenizer.bos_token_id, *first, start, _IMAGE, end, *last]

    def states(self, ids: list[int], pictured: Tensor) -> Tensor:
        """Last hidden states (T, width) of tokens among which a picture (G, width) stands once."""
        place = ids.index(_IMAGE)
        embed = self.llama.get_input_embeddings()
        before, after = (embed(torch.tensor(part)) for part in (ids[:place], ids[place + 1 :]))
        embedded = torch.cat([before, pictured, after])[None]
        return self.llama(inputs_embeds=embedded, output_hidden_states=True).hidden_states[-1][0]

    def told(self, states: Tensor, ids: list[int], token: int, cells: int) -> Tensor:
        """States that `token` is said from: shifted by one, and by the cells of the picture."""
        said = torch.tensor([each == token for each in ids[1:]] + [False])
        return states[torch.cat([torch.zeros(cells - 1, dtype=torch.bool), said])]


def _large(model: torch.nn.Module) -> torch.nn.Module:
    """Weights so large that different words have different states."""
    for weight in model.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, std=weight[0].numel() ** -0.5)
    return model


def _tokenizer(added: tuple[str, ...]):
    """LLaMA's class, on pieces of a few words."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    pieces = Tokenizer(models.BPE(unk_token="<unk>"))
    pieces.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<unk>", "<s>", "</s>"],
        initial_alphabet=[chr(code) for code in range(33, 127)] + ["▁"],
        show_progress=False,
    )
    pieces.train_from_iterator(_TEXT, trainer)
    model = json.loads(pieces.to_str())["model"]
    merges = [tuple(merge) for merge in model["merges"]]
    tokenizer = transformers().LlamaTokenizer(vocab=model["vocab"], merges=merges)
    tokenizer.add_tokens(list(added))
    return tokenizer
