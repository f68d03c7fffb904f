"""Tiny published folders of systems on LLaVA, and their forward pass in our words."""

import json
from pathlib import Path

import numpy as np
import torch
from official_weights import Official
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from askmask.models.hub.loading import transformers

WIDTH = 32
"""Of the tiny LLaMA."""

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

    def __init__(self, folder: Path, added: tuple[str, ...], eyes: dict[str, int]) -> None:
        """Write a tokenizer with `added` tokens, and a CLIP of the sizes `eyes`, into `folder`."""
        library = transformers()
        torch.manual_seed(0)
        self.folder = folder
        self.tokenizer = _tokenizer(added)
        config = library.LlamaConfig(
            vocab_size=len(self.tokenizer),
            hidden_size=WIDTH,
            intermediate_size=48,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=4,
            max_position_embeddings=1024,
        )
        self.llama = large(library.LlamaForCausalLM(config)).eval()
        self.clip = large(
            library.CLIPVisionModel(
                library.CLIPVisionConfig(
                    **eyes, intermediate_size=24, num_attention_heads=2, patch_size=14
                )
            )
        ).eval()
        self.clip.save_pretrained(folder / "clip")
        side = eyes["image_size"]
        self.processor = library.CLIPImageProcessorPil(
            size={"shortest_edge": side}, crop_size={"height": side, "width": side}
        )
        self.processor.save_pretrained(folder / "clip")
        self.weights = Official()
        self.config = {
            "model_type": "llava",
            "mm_hidden_size": eyes["hidden_size"],
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

    def save(self, *, shards: int = 2, pickled: bool = False, inside: str = "") -> str:
        """Write everything as the authors do, in several files with an index."""
        folder = self.folder / inside
        folder.mkdir(exist_ok=True)
        self.tokenizer.save_pretrained(folder)
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
                torch.save(part, folder / file)
            else:
                save_file(part, folder / file)
        (folder / f"{stem}.{kind}.index.json").write_text(json.dumps({"weight_map": index}))
        (folder / "config.json").write_text(json.dumps(self.config))
        return str(self.folder)

    def say(self, ids: list[int], pictured: Tensor, answer: list[int], visible=None) -> None:
        """Change the language head so that it says `answer` when it has read `ids`."""
        wanted = torch.eye(len(self.tokenizer))[answer]
        read = []
        for spoken in range(len(answer)):
            seen = None if visible is None else functional.pad(visible, (0, spoken), value=1)
            so_far = [*ids, *answer[:spoken]]
            read.append(self.states(so_far, pictured, visible=seen)[-1])
        self.llama.lm_head.weight.data = (torch.linalg.pinv(torch.stack(read)) @ wanted).T

    def looked(self, image: np.ndarray) -> tuple[Tensor, ...]:
        """Hidden states of CLIP, (1 + G, its width) each."""
        pixels = self.processor(image, return_tensors="pt").pixel_values
        return tuple(x[0] for x in self.clip(pixels, output_hidden_states=True).hidden_states)

    def prompt(self, before: str, after: str) -> list[int]:
        """Tokens of a prompt; each side of the picture begins as a text of its own."""
        start, end = (
            self.tokenizer.convert_tokens_to_ids(f"<im_{side}>") for side in ("start", "end")
        )
        first, last = (
            self.tokenizer(part, add_special_tokens=False).input_ids for part in (before, after)
        )
        return [self.tokenizer.bos_token_id, *first, start, _IMAGE, end, *last]

    def states(
        self,
        ids: list[int],
        pictured: Tensor,
        instead: dict[int, Tensor] | None = None,
        visible=None,
    ) -> Tensor:
        """Last hidden states (T, width) of tokens among which a picture (G, width) stands once.

        Args:
            ids: the tokens.
            pictured: what stands for the picture.
            instead: token -> (1, width) what stands for it.
            visible: (1, T) which states may be looked at.
        """
        embed = self.llama.get_input_embeddings()
        words = {_IMAGE: pictured, **(instead or {})}
        embedded = torch.cat([words[i] if i in words else embed(torch.tensor([i])) for i in ids])
        read = self.llama(
            inputs_embeds=embedded[None], attention_mask=visible, output_hidden_states=True
        )
        return read.hidden_states[-1][0]

    def told(self, states: Tensor, ids: list[int], token: int, cells: int) -> Tensor:
        """States that `token` is said from: shifted by one, and by the cells of the picture."""
        said = torch.tensor([each == token for each in ids[1:]] + [False])
        return states[torch.cat([torch.zeros(cells - 1, dtype=torch.bool), said])]


def large(model: torch.nn.Module) -> torch.nn.Module:
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
