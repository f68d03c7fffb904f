"""PixelLM under its authors' names, tiny, and their forward pass in our words."""

import torch
from official_llava import WIDTH, OfficialLlava, picture
from official_weights import OfficialSam, positions, two_way
from torch.nn import functional

from askmask.models.hub.preprocessing import SAM1

SIDE, CELLS = 112, 8
BOOK = tuple(f"[SEG{number}]" for number in range(6))
SYSTEM = (
    "A chat between a curious human and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the human's questions. USER:"
)
QUESTION = "What is the red mug in this image? Please output segmentation mask. ASSISTANT:"


class OfficialPixellm(OfficialLlava):
    """The authors' `evaluate`, in our words."""

    def __init__(self, folder):
        eyes = {"hidden_size": 24, "num_hidden_layers": 11, "image_size": 42}
        super().__init__(folder, (*BOOK, "<im_start>", "<im_end>"), eyes)
        self.config["resize_vision_tower_size"] = SIDE
        self.book = self.tokenizer.convert_tokens_to_ids(list(BOOK))
        self.sam = OfficialSam(self.weights, "model.")
        self.ids = self.prompt(SYSTEM, QUESTION)
        used = SAM1.placement((45, 60), SIDE).used_hw
        assert used == (84, 112)
        # A patch is seen where its first pixel is in the picture.
        self.seen = torch.tensor([[14 * y < used[0] for _ in range(CELLS)] for y in range(CELLS)])
        self.features = self.eyes(SAM1.pixels(picture(), SIDE))
        grid = self.features[0].T.view(1, -1, CELLS, CELLS)
        grid = functional.interpolate(grid, (16, 16), mode="bilinear")[0].flatten(1).T
        self.pictured = self.translated("mm_projector", grid)
        doubled = self.seen.repeat_interleave(2, 0).repeat_interleave(2, 1)
        place = self.ids.index(-200)
        self.visible = torch.ones(1, len(self.ids) - 1 + 256)
        self.visible[0, place : place + 256] = doubled.flatten().float()

    def translated(self, name, x):
        x = functional.gelu(self.weights.linear(f"model.{name}.0", x, 2 * WIDTH))
        return self.weights.linear(f"model.{name}.2", x, WIDTH)

    def eyes(self, pixels):
        """Features (64, 24) of the layers -2 and -11 of CLIP, which looks at the picture only."""
        clip = {key.removeprefix("vision_model."): v for key, v in self.clip.state_dict().items()}

        def linear(name, x):
            return functional.linear(x, clip[f"{name}.weight"], clip[f"{name}.bias"])

        def norm(name, x):
            return functional.layer_norm(x, (24,), clip[f"{name}.weight"], clip[f"{name}.bias"])

        patches = functional.conv2d(pixels, clip["embeddings.patch_embedding.weight"], stride=14)
        x = torch.cat([clip["embeddings.class_embedding"][None], patches[0].flatten(1).T])
        learned = clip["embeddings.position_embedding.weight"]
        grid = functional.interpolate(
            learned[:-1].T.reshape(1, 24, 3, 3), (CELLS, CELLS), mode="bilinear"
        )
        # The authors take the last place for that of the class token.
        x = norm("pre_layrnorm", x + torch.cat([grid[0].flatten(1).T, learned[-1:]]))
        keys = torch.cat([torch.tensor([True]), self.seen.flatten()])
        states = [x]
        for number in range(11):
            layer = f"encoder.layers.{number}"
            y = norm(f"{layer}.layer_norm1", x)
            q, k, v = (
                linear(f"{layer}.self_attn.{part}_proj", y).view(-1, 2, 12).transpose(0, 1)
                for part in "qkv"
            )
            scores = (q @ k.transpose(1, 2) / 12**0.5).masked_fill(~keys, -torch.inf)
            y = (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)
            x = x + linear(f"{layer}.self_attn.out_proj", y)
            y = linear(f"{layer}.mlp.fc1", norm(f"{layer}.layer_norm2", x))
            x = x + linear(f"{layer}.mlp.fc2", y * (1.702 * y).sigmoid())
            states.append(x)
        return states[-2][1:], states[-11][1:]

    def logits(self, answer):
        w, ids = self.weights, [*self.ids, *answer]
        visible = functional.pad(self.visible, (0, len(answer)), value=1)
        states = self.states(ids, self.pictured, visible=visible)
        fc = "model.text_hidden_fcs.0"
        states = w.linear(f"{fc}.2", w.linear(f"{fc}.0", states, WIDTH).relu(), 32)
        prompts = torch.cat([self.told(states, ids, token, 256) for token in self.book])
        # One codebook only: the tokens stand in their order.
        prompts = (prompts.view(2, 3, 32) * (1 / 6)).sum(1)
        total, previous = 0, None
        for level in range(2):
            maps = self.translated("out_mm_projector", self.features[level])
            previous = self.level(level, maps, prompts[level], previous)
            large = functional.interpolate(
                previous[None, None], (4 * CELLS, 4 * CELLS), mode="bilinear"
            )
            total = total + large[0] / 2
        return total

    def level(self, number, maps, prompt, previous):
        """(2 h, 2 w) logits, or (4 h, 4 w) at the second level."""
        w, name = self.weights, "model.mask_decoder."
        neck = "model.image_feature_neck."
        grid = w.conv(f"{neck}0", maps.T.view(1, WIDTH, CELLS, CELLS), 32, 1, bias=False)
        grid = w.conv(f"{neck}2", w.norm2d(f"{neck}1", grid), 32, 3, bias=False, padding=1)
        grid = w.norm2d(f"{neck}3", grid)
        frequencies = "model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix"
        if number:
            grid = functional.gelu(
                w.norm2d(f"{name}upsample_2x.1", w.doubled(f"{name}upsample_2x.0", grid, 32))
            )
            grid = (previous.sigmoid() + 1) * grid
            frequencies = f"{name}pe1.positional_encoding_gaussian_matrix"
        place = positions(w.made(frequencies, 2, 16), grid.shape[2:])
        grid = grid + w["model.prompt_encoder.no_mask_embed.weight"].view(1, 32, 1, 1)
        tokens = torch.cat(
            [w[f"{name}iou_token.weight"], w[f"{name}mask_tokens.weight"], prompt[None]]
        )
        tokens = tokens + w.made(f"{name}level_embed.weight", 2, 32)[number]
        keys = grid.flatten(2)[0].T
        tokens, keys = two_way(w, f"{name}transformer.{number}.", tokens, keys, place)
        drawn = w.doubled(f"{name}output_upscaling.0", keys.T.reshape(grid.shape), 4)
        drawn = functional.gelu(w.norm2d(f"{name}output_upscaling.1", drawn))
        found = [
            w.mlp(f"{name}output_hypernetworks_mlps.{n}", tokens[1 + n], 32, 32, 4)
            for n in range(4)
        ]
        return torch.einsum("c,chw->hw", found[0], drawn[0])
