import json

import numpy as np
import pytest
import torch
from official_llava import large, picture
from official_weights import Official
from safetensors.torch import save_file
from torch.nn import functional

from askmask.models.hub.loading import Where, transformers
from askmask.models.hub.preprocessing import SAM1
from askmask.models.hub.published.psalm import PublishedPsalm
from askmask.models.hub.published.psalm_parts import QueryDecoder

SIDE, WIDTH, SAID, QUERIES = 128, 32, 32, 6
WINDOW, DEPTHS, HEADS = 3, (1, 2, 1, 1), (1, 2, 2, 4)
PROMPT = (
    "[INST] <<SYS>>\nYou are a helpful language and vision assistant. You are able to understand "
    "the visual content that the user provides, and assist the user with a variety of tasks using "
    "natural language.\n<</SYS>>\n\nThis is an image ",
    ", Please doing Referring Segmentation according to the following instruction:\n",
    " [/INST] \nSure, the segmentation result is ",
)


def attend(w, name, q, k, v, allowed=None):
    """torch's attention of 8 heads on (T, C), by the names of its weights."""
    width = q.shape[-1]
    weight = w.made(f"{name}.in_proj_weight", 3 * width, width).chunk(3)
    bias = w.made(f"{name}.in_proj_bias", 3 * width).chunk(3)
    q, k, v = (
        functional.linear(x, *one).view(len(x), 8, -1).transpose(0, 1)
        for x, *one in zip((q, k, v), weight, bias, strict=True)
    )
    scores = q @ k.transpose(1, 2) / q.shape[-1] ** 0.5
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -torch.inf)
    return w.linear(f"{name}.out_proj", (scores.softmax(-1) @ v).transpose(0, 1).flatten(1), width)


def waves(height, width, channels):
    """(h w, C) sines and cosines of where cells are, y before x."""
    half = channels // 2
    speed = 10000 ** (2 * (torch.arange(half) // 2) / half)

    def along(length):
        angle = (torch.arange(1, length + 1) / (length + 1e-6) * 2 * torch.pi)[:, None] / speed
        return torch.stack([angle[:, 0::2].sin(), angle[:, 1::2].cos()], -1).flatten(1)

    y = along(height)[:, None].expand(-1, width, -1)
    x = along(width)[None].expand(height, -1, -1)
    return torch.cat([y, x], -1).flatten(0, 1)


class OfficialPsalm:
    """The authors' `eval_seg` for a sentence, in our words."""

    def __init__(self, folder):
        library = transformers()
        torch.manual_seed(0)
        self.weights, self.tokenizer = Official(gain=1), _tokenizer()
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
        features = self.eyes(self.pixels())
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
        levels, pixels = self.decoded(features)
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

    def eyes(self, pixels):
        """Swin: features (1, C, h, w) of four stages."""
        w, name = self.weights, "model.vision_tower."
        x = w.conv(f"{name}patch_embed.proj", pixels, 8, 4, stride=4).permute(0, 2, 3, 1)[0]
        x = w.norm(f"{name}patch_embed.norm", x)
        found = []
        for stage, (depth, heads) in enumerate(zip(DEPTHS, HEADS, strict=True)):
            for number in range(depth):
                block = f"{name}layers.{stage}.blocks.{number}."
                shift = number % 2 * (WINDOW // 2)
                x = x + self.windows(block, w.norm(f"{block}norm1", x), heads, shift)
                y = w.linear(f"{block}mlp.fc1", w.norm(f"{block}norm2", x), 4 * x.shape[-1])
                x = x + w.linear(f"{block}mlp.fc2", functional.gelu(y), x.shape[-1])
            found.append(w.norm(f"{name}norm{stage}", x).permute(2, 0, 1)[None])
            if stage < 3:
                quarters = [x[0::2, 0::2], x[1::2, 0::2], x[0::2, 1::2], x[1::2, 1::2]]
                down = f"{name}layers.{stage}.downsample."
                x = w.norm(f"{down}norm", torch.cat(quarters, -1))
                weight = w.made(f"{down}reduction.weight", x.shape[-1] // 2, x.shape[-1])
                x = functional.linear(x, weight)
        return found

    def windows(self, block, x, heads, shift):
        """Attention inside of windows of a picture that is shifted around its edges."""
        height, width, channels = x.shape
        rows, columns = -(-height // WINDOW) * WINDOW, -(-width // WINDOW) * WINDOW
        padded = functional.pad(x, (0, 0, 0, columns - width, 0, rows - height))
        region = torch.zeros(rows, columns)
        for edge in (WINDOW, shift):
            region[rows - edge :] += 1 if edge else 0
            region[:, columns - edge :] += 10 if edge else 0
        padded = padded.roll((-shift, -shift), (0, 1))
        found = torch.zeros_like(padded)
        at = torch.stack(torch.meshgrid(*2 * [torch.arange(WINDOW)], indexing="ij")).flatten(1)
        apart = at[:, :, None] - at[:, None] + WINDOW - 1
        table = self.weights.made(
            f"{block}attn.relative_position_bias_table", (2 * WINDOW - 1) ** 2, heads
        )
        self.weights[f"{block}attn.relative_position_index"] = torch.zeros(9, 9, dtype=torch.long)
        bias = table[apart[0] * (2 * WINDOW - 1) + apart[1]].permute(2, 0, 1)
        for top in range(0, rows, WINDOW):
            for left in range(0, columns, WINDOW):
                there = (slice(top, top + WINDOW), slice(left, left + WINDOW))
                tokens = padded[there].reshape(-1, channels)
                qkv = self.weights.linear(f"{block}attn.qkv", tokens, 3 * channels)
                q, k, v = qkv.view(-1, 3, heads, channels // heads).permute(1, 2, 0, 3)
                scores = q @ k.transpose(1, 2) * (channels // heads) ** -0.5 + bias
                if shift:
                    same = region[there].flatten()
                    scores = scores - 100 * (same[:, None] != same)
                out = (scores.softmax(-1) @ v).transpose(0, 1).flatten(1)
                out = self.weights.linear(f"{block}attn.proj", out, channels)
                found[there] = out.view(WINDOW, WINDOW, channels)
        return found.roll((shift, shift), (0, 1))[:height, :width]

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

    def group_norm(self, name, x):
        return functional.group_norm(x, 32, *self.weights.scale(name, WIDTH))

    def decoded(self, features):
        """Three levels (C, h, w) from coarse to fine, and pixels (C, H, W)."""
        w, name = self.weights, "pixel_decoder."
        sizes = [tuple(grid.shape[2:]) for grid in features[:0:-1]]
        level = w.made(f"{name}transformer.level_embed", 3, WIDTH)
        cells, places = [], []
        for number, grid in enumerate(features[:0:-1]):
            enter = w.conv(f"{name}input_proj.{number}.0", grid, WIDTH, 1)
            enter = self.group_norm(f"{name}input_proj.{number}.1", enter)
            cells.append(enter[0].flatten(1).T)
            places.append(waves(*sizes[number], WIDTH) + level[number])
        x, place = torch.cat(cells), torch.cat(places)
        middles = torch.cat(
            [
                torch.stack(
                    torch.meshgrid(*((torch.arange(n) + 0.5) / n for n in size), indexing="ij")
                )
                .flatten(1)
                .T.flip(1)
                for size in sizes
            ]
        )
        for number in range(2):
            layer = f"{name}transformer.encoder.layers.{number}."
            y = self.deformed(f"{layer}self_attn.", x + place, x, middles, sizes)
            x = w.norm(f"{layer}norm1", x + y)
            y = w.linear(f"{layer}linear1", x, 48).relu()
            x = w.norm(f"{layer}norm2", x + w.linear(f"{layer}linear2", y, WIDTH))
        parts = x.split([height * width for height, width in sizes])
        levels = [part.T.view(WIDTH, *size) for part, size in zip(parts, sizes, strict=True)]
        fine = self.group_norm(
            f"{name}adapter_1.1", w.conv(f"{name}adapter_1.0", features[0], WIDTH, 1, False)
        )
        fine = fine + functional.interpolate(levels[-1][None], fine.shape[2:], mode="bilinear")
        fine = w.conv(f"{name}layer_1.0", fine, WIDTH, 3, False, padding=1)
        fine = self.group_norm(f"{name}layer_1.1", fine).relu()
        return levels, w.conv(f"{name}mask_features", fine, WIDTH, 1)[0]

    def deformed(self, name, query, x, middles, sizes):
        """Attention of 8 heads to 4 points in each of three levels."""
        w, count = self.weights, len(query)
        value = w.linear(f"{name}value_proj", x, WIDTH).view(count, 8, 4)
        offset = w.linear(f"{name}sampling_offsets", query, 8 * 3 * 4 * 2).view(count, 8, 3, 4, 2)
        share = w.linear(f"{name}attention_weights", query, 8 * 12).view(count, 8, 12).softmax(-1)
        share, found, start = share.view(count, 8, 3, 4), 0, 0
        for level, (height, width) in enumerate(sizes):
            there = value[start : start + height * width].permute(1, 2, 0).view(8, 4, height, width)
            start += height * width
            at = middles[:, None, None] + offset[:, :, level] / torch.tensor([width, height])
            # (8, 4, count, points) of (8, count, points, 2)
            seen = functional.grid_sample(there, 2 * at.transpose(0, 1) - 1, align_corners=False)
            found = found + (seen * share[:, :, level].transpose(0, 1)[:, None]).sum(-1)
        return w.linear(f"{name}output_proj", found.flatten(0, 1).T, WIDTH)

    def predicted(self, levels, pixels, states, target):
        w, name = self.weights, "predictor."
        place = w.made(f"{name}query_embed.weight", QUERIES, WIDTH)
        level = w.made(f"{name}level_embed.weight", 3, WIDTH)

        def drawn():
            normed = w.norm(f"{name}decoder_norm", states)
            embedded = w.mlp(f"{name}mask_embed", normed, WIDTH, WIDTH, WIDTH)
            meant = w.mlp(f"{name}SEG_proj", normed, WIDTH, WIDTH) @ target
            return torch.einsum("qc,chw->qhw", embedded, pixels), meant

        for number in range(4):
            grid = levels[number % 3]
            keys = grid.flatten(1).T + level[number % 3]
            where = keys + waves(*grid.shape[1:], WIDTH)
            small = functional.interpolate(drawn()[0][None], grid.shape[1:], mode="bilinear")[0]
            allowed = small.flatten(1).sigmoid() >= 0.5
            allowed[~allowed.any(1)] = True
            layer = f"{name}transformer_cross_attention_layers.{number}."
            y = attend(w, f"{layer}multihead_attn", states + place, where, keys, allowed)
            states = w.norm(f"{layer}norm", states + y)
            layer = f"{name}transformer_self_attention_layers.{number}."
            y = attend(w, f"{layer}self_attn", states + place, states + place, states)
            states = w.norm(f"{layer}norm", states + y)
            layer = f"{name}transformer_ffn_layers.{number}."
            y = w.linear(f"{layer}linear2", w.linear(f"{layer}linear1", states, 48).relu(), WIDTH)
            states = w.norm(f"{layer}norm", states + y)
        return drawn()


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
