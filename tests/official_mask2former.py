"""Swin and the decoders of Mask2Former under detectron2's names, in our words, tiny."""

import torch
from official_weights import Official
from torch.nn import functional

WIDTH, QUERIES = 32, 9
"""Of the decoders, and how many masks they draw, a square number as ReLA has it."""

WINDOW, DEPTHS, HEADS = 3, (1, 2, 1, 1), (1, 2, 2, 4)
"""Of Swin."""


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


class OfficialMask2Former:
    """What PSALM and ReLA have in common; each says how its convolutions before norms are called.

    Attributes:
        normed: names after a convolution's and its norm's common part.
    """

    normed = (".0", ".1")

    def __init__(self, weights: Official) -> None:
        self.weights = weights

    def eyes(self, pixels, name, told=None):
        """Swin: features (1, C, h, w) of four stages, of which `told` changes what it sees."""
        w = self.weights
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
            seen = x
            if told is not None:
                seen, x = told(f"{name}layers.{stage}.", x, stage < 3)
            found.append(w.norm(f"{name}norm{stage}", seen).permute(2, 0, 1)[None])
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

    def group_norm(self, name, x):
        return functional.group_norm(x, 32, *self.weights.scale(name, WIDTH))

    def decoded(self, features, name):
        """Three levels (C, h, w) from coarse to fine, and pixels (C, H, W)."""
        w, (conv, norm) = self.weights, self.normed
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
            f"{name}adapter_1{norm}", w.conv(f"{name}adapter_1{conv}", features[0], WIDTH, 1, False)
        )
        fine = fine + functional.interpolate(levels[-1][None], fine.shape[2:], mode="bilinear")
        fine = w.conv(f"{name}layer_1{conv}", fine, WIDTH, 3, False, padding=1)
        fine = self.group_norm(f"{name}layer_1{norm}", fine).relu()
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

    def rounds(self, levels, pixels, states, name, look, talk, listen=None):
        """Queries after four looks: their normed states (Q, C), and what draws their masks."""
        w = self.weights
        place = w.made(f"{name}query_embed.weight", QUERIES, WIDTH)
        level = w.made(f"{name}level_embed.weight", 3, WIDTH)

        def drawn():
            normed = w.norm(f"{name}decoder_norm", states)
            embedded = w.mlp(f"{name}mask_embed", normed, WIDTH, WIDTH, WIDTH)
            return normed, embedded

        for number in range(4):
            grid = levels[number % 3]
            keys = grid.flatten(1).T + level[number % 3]
            where = keys + waves(*grid.shape[1:], WIDTH)
            masks = torch.einsum("qc,chw->qhw", drawn()[1], pixels)[None]
            small = functional.interpolate(masks, grid.shape[1:], mode="bilinear")[0]
            allowed = small.flatten(1).sigmoid() >= 0.5
            allowed[~allowed.any(1)] = True
            layer = f"{name}{look}.{number}."
            y = attend(w, f"{layer}multihead_attn", states + place, where, keys, allowed)
            states = w.norm(f"{layer}norm", states + y)
            if listen is not None and number == 0:
                states = listen(states)
            layer = f"{name}{talk}.{number}."
            y = attend(w, f"{layer}self_attn", states + place, states + place, states)
            states = w.norm(f"{layer}norm", states + y)
            layer = f"{name}transformer_ffn_layers.{number}."
            y = w.linear(f"{layer}linear2", w.linear(f"{layer}linear1", states, 48).relu(), WIDTH)
            states = w.norm(f"{layer}norm", states + y)
        return drawn()
