"""GLaMM under its authors' names, tiny, and their forward pass in our words."""

import torch
from official_llava import WIDTH, OfficialLlava, picture
from official_weights import OfficialSam
from torch.nn import functional

from askmask.models.hub.preprocessing import SAM1

EYES = 64


def sampled(grid, x, y):
    """Bilinear sample of (C, h, w) at a point, as mmcv's RoIAlign takes it."""
    height, width = grid.shape[1:]
    if not (-1 <= y <= height and -1 <= x <= width):
        return torch.zeros(grid.shape[0])
    x, y = max(x, 0.0), max(y, 0.0)
    left, top = min(int(x), width - 1), min(int(y), height - 1)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    fx, fy = (x - left if right > left else 0), (y - top if bottom > top else 0)
    upper = grid[:, top, left] * (1 - fx) + grid[:, top, right] * fx
    lower = grid[:, bottom, left] * (1 - fx) + grid[:, bottom, right] * fx
    return upper * (1 - fy) + lower * fy


def aligned(grid, box, scale, cells):
    """RoIAlign of one box, sample by sample."""
    x0, y0, x1, y1 = (float(edge) * scale - 0.5 for edge in box)
    wide, high = (x1 - x0) / cells, (y1 - y0) / cells
    found = torch.zeros(grid.shape[0], cells, cells)
    for row in range(cells):
        for column in range(cells):
            for dy in (0.25, 0.75):
                for dx in (0.25, 0.75):
                    x, y = x0 + (column + dx) * wide, y0 + (row + dy) * high
                    found[:, row, column] += sampled(grid, x, y) / 4
    return found


class OfficialGlamm(OfficialLlava):
    """The authors' `evaluate`, with and without a region, in our words."""

    def __init__(self, folder):
        eyes = {"hidden_size": EYES, "num_hidden_layers": 11, "image_size": 42}
        added = ("[SEG]", "<im_start>", "<im_end>", "<bbox>", "<p>", "</p>")
        super().__init__(folder, added, eyes)
        self.sam = OfficialSam(self.weights, "model.grounding_encoder.")
        self.seg, self.box = self.tokenizer.convert_tokens_to_ids(["[SEG]", "<bbox>"])
        self.eyes = self.looked(picture())
        y = self.weights.linear("model.mm_projector.0", self.eyes[-2][1:], WIDTH)
        self.pictured = self.weights.linear("model.mm_projector.2", functional.gelu(y), WIDTH)

    def logits(self, ids, region=None):
        states = self.states(ids, self.pictured, {self.box: region})
        fc = "model.text_hidden_fcs.0"
        states = self.weights.linear(f"{fc}.0", states, WIDTH).relu()
        states = self.weights.linear(f"{fc}.2", states, self.sam.channels)
        prompts = self.told(states, ids, self.seg, len(self.pictured))
        return self.sam.decode(self.sam.encode(SAM1.pixels(picture(), self.sam.side)), prompts)

    def region(self, box):
        """Word of a box x0, y0, x1, y1 in shares of the picture."""
        w, name = self.weights, "model.region_encoder."
        maps = []
        for number, level in enumerate((-11, -8, -5, -2)):
            side = 3 * 2 ** (3 - number)
            grid = self.eyes[level][1:].T.reshape(1, EYES, 3, 3)
            grid = functional.interpolate(grid, (side, side), mode="bilinear", align_corners=True)
            line = torch.linspace(-1, 1, side)
            x = line.expand(side, side)[None, None]
            grid = torch.cat([grid, x, x.transpose(2, 3)], 1)
            maps.append(w.conv(f"{name}mlvl_fuse.input_conv.{number}", grid, EYES, 1))
        for turn in range(5):
            maps = [self.fused(maps, number, turn) for number in range(4)]
        total = 0
        for number, (grid, stride) in enumerate(zip(maps, (14 / 8, 14 / 4, 7, 14), strict=True)):
            crop = aligned(grid[0], box * 224, 1 / stride, 14)[None]
            total = total + w.conv(f"{name}roi_align.pconvs.{number}", crop, EYES, 3, padding=1)
        seen = w.linear(f"{name}roi_align.flatten_linear", total.relu().flatten(1), 1024)
        place = f"{name}roi_align.pos_embedd"
        where = w.norm(f"{place}.2", w.linear(f"{place}.0", box[None], 256).relu())
        where = w.norm(f"{place}.5", w.linear(f"{place}.3", where, 1024).relu())
        return w.linear(f"{name}roi_align.updims", seen + where, WIDTH)

    def fused(self, maps, number, turn):
        """One level after it took channels from its neighbours."""
        name = f"model.region_encoder.mlvl_fuse.fuse_convs.{turn}"
        side = maps[number].shape[-1]
        above, below = maps[min(number + 1, 3)], maps[max(number - 1, 0)]
        taken = [
            functional.interpolate(part, (side, side), mode="bilinear", align_corners=True)
            for part in (above[:, 48:], below[:, 32:48])
        ]
        mixed = torch.cat([maps[number][:, :32], *taken], 1)
        mixed = self.weights.conv(f"{name}.conv", mixed, EYES, 3, bias=False, padding=1)
        return functional.group_norm(mixed, 64, *self.weights.scale(f"{name}.gn", EYES)).relu()
