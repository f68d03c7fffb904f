"""Time and memory of judging by a multimodal language model, beside the plain ways, in one run.

    python bench/hub_selectors.py [--json]

Models have random weights, which cost as much as learnt ones. Times are CPU seconds, the least of a
few calls. A pass over a picture of 1,000 tokens and a short question is measured in a process of
its own: as it is, with the attention of the question alone kept ("rows"), and with all of it
("full", output_attentions=True). Memory is the highest resident size; what rows and full take is
what they need beyond the pass as it is.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from tiny_chats import save_tiny  # noqa: E402

from askmask.models.hub.chat import Chat  # noqa: E402
from askmask.models.hub.judge import Judge, JudgeOptions  # noqa: E402
from askmask.models.hub.loading import Where, load_part  # noqa: E402
from askmask.models.hub.reader import Reader  # noqa: E402
from askmask.types import Candidates, Masks, MaskType, Query  # noqa: E402

SIZES = {
    "tiny": {"width": 64, "layers": 4, "heads": 4, "vision_width": 32},
    "mid-size": {"width": 384, "layers": 8, "heads": 8, "vision_width": 192},
}
CANDIDATES = 16
SENTENCE = "the red can that is left of the box"
IMAGE = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)


class NoTyper:
    """Mask types for nothing."""

    def mask_types(self, texts: list[str]) -> list[dict[MaskType, float]]:
        """Always modal."""
        return [{MaskType.MODAL: 1.0}] * len(texts)


def candidates() -> Candidates:
    """Sixteen squares."""
    masks = np.zeros((CANDIDATES, *IMAGE.shape[:2]), bool)
    for i, mask in enumerate(masks):
        mask[(i // 4) * 110 + 20 :, (i % 4) * 150 + 20 :][:80, :100] = True
    stack = Masks.from_dense(masks)
    return Candidates(stack, stack, np.ones(CANDIDATES, np.float32))


def cpu_seconds(call: Callable[[], object], repeats: int) -> float:
    """Least CPU time of a few calls."""
    spans = []
    for _ in range(repeats):
        start = time.process_time()
        call()
        spans.append(time.process_time() - start)
    return min(spans)


def times(folder: str, repeats: int) -> dict[str, float]:
    """Seconds of each way to judge sixteen candidates of a new picture."""
    chat, found = Chat.load(folder, Where("cpu", "float32")), candidates()

    def judged(way: str) -> Callable[[], object]:
        # A judge of its own each time, so that the picture is new.
        return lambda: Judge(chat, JudgeOptions(way=way), NoTyper()).scores(
            IMAGE, found, Query(SENTENCE)
        )

    def separate(*, again: bool) -> Callable[[], object]:
        """Each candidate asked for in a pass of its own, its picture seen again or not."""
        view = Judge(chat, JudgeOptions(), NoTyper())._view(IMAGE, found.modal, None)

        def call() -> None:
            for label in view.shown.labels:
                pictures = chat.see(view.shown.pictures) if again else view.pictures
                text = f'{view.shown.words} The sentence: "{SENTENCE}". Answer with yes or no: '
                prompt = chat.prompt(f"{text}is candidate {label} meant?", pictures)
                chat.label_logits(Reader(chat, pictures).read([prompt]), ["yes", "no"])

        return call

    asked = Judge(chat, JudgeOptions(), NoTyper())
    judged("listwise")()  # what is done once a process is not counted
    return {
        "listwise, one pass": cpu_seconds(judged("listwise"), repeats),
        "listwise, further sentences": cpu_seconds(
            lambda: asked.scores(IMAGE, found, Query(SENTENCE)), 1 + repeats
        ),
        "pointwise, shared beginning": cpu_seconds(judged("pointwise"), repeats),
        "16 passes": cpu_seconds(separate(again=True), 1),
        "16 passes, picture encoded once": cpu_seconds(separate(again=False), 1),
    }


def cost_of_pass(folder: str, way: str) -> tuple[float, float]:
    """Highest resident size in MB during one pass, less that before it, and CPU seconds.

    In a process of its own.
    """
    command = [sys.executable, __file__, "--cost", way, "--model", folder]
    # Freed memory goes back at once, so that none of it hides what a pass takes.
    given = {**os.environ, "MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=given)
    mb, seconds = map(float, done.stdout.split())
    return mb, seconds


def print_cost(folder: str, way: str) -> None:
    """Make a few passes; print how much memory the first took, in MB, and the least CPU seconds."""
    chat = Chat.load(folder, Where("cpu", "float32"))
    # 25 x 40 tokens of 32 x 32 pixels.
    picture = np.random.default_rng(0).integers(0, 255, (800, 1280, 3), dtype=np.uint8)
    pictures = chat.see([picture])
    prompt = chat.prompt(SENTENCE, pictures)
    model = chat.model
    if way == "full":
        model = load_part(
            "AutoModelForImageTextToText", folder, Where("cpu"), attn_implementation="eager"
        )
    ids = torch.tensor([prompt])
    given = {
        "input_ids": ids,
        "position_ids": chat.positions(prompt, pictures),
        "mm_encoder_outputs": {"image": pictures.encoded},
    }

    def look() -> object:
        if way == "rows":
            return Reader(chat, pictures).look(prompt)  # another would know the picture already
        kept = model.model(**given, output_attentions=way == "full")
        assert way != "full" or len(kept.attentions) == model.config.text_config.num_hidden_layers
        return kept

    with torch.inference_mode():
        model.model(input_ids=ids[:, -8:], position_ids=given["position_ids"][..., -8:])  # warm
        Path("/proc/self/clear_refs").write_text("5")  # the highest size starts from here
        before = resident("VmRSS")
        look()
        print((resident("VmHWM") - before) / 1024, cpu_seconds(look, 3))
    assert pictures.counts == (1000,)


def resident(name: str) -> float:
    """A line of this process's status, in KB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(name)))


def measured(folder: str, repeats: int) -> dict[str, float]:
    """Everything about one model."""
    told = {f"s, {name}": value for name, value in times(folder, repeats).items()}
    for way in ("listwise, one pass", "pointwise, shared beginning"):
        for slow in ("16 passes", "16 passes, picture encoded once"):
            told[f"{way.partition(',')[0]} against {slow}"] = told[f"s, {slow}"] / told[f"s, {way}"]
    costs = {way: cost_of_pass(folder, way) for way in ("plain", "rows", "full")}
    told |= {f"MB of a pass, {way}": mb for way, (mb, _) in costs.items()}
    told |= {f"s of a pass, {way}": seconds for way, (_, seconds) in costs.items()}
    # Rows may take less than what two equal processes differ by.
    rows_mb = max(costs["rows"][0] - costs["plain"][0], 0.1)
    told["rows take less memory, times"] = (costs["full"][0] - costs["plain"][0]) / rows_mb
    return {**told, "rows take less time, times": costs["full"][1] / costs["rows"][1]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--cost", choices=("plain", "rows", "full"), help=argparse.SUPPRESS)
    parser.add_argument("--model", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.cost:
        print_cost(arguments.model, arguments.cost)
        return
    rows: dict[str, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, size in SIZES.items():
            model = str(save_tiny("qwen3_vl", Path(folder) / name, **size))
            rows[name] = measured(model, arguments.repeats)
            if not arguments.json:
                print(
                    name,
                    *(f"  {key:34}{value:9.3f}" for key, value in rows[name].items()),
                    sep="\n",
                )
    if arguments.json:
        print(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
