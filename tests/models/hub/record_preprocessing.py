"""Record what the official processors make of two pictures, to compare our own with.

    python tests/models/hub/record_preprocessing.py

It needs torchvision, which SAM 2 and 3 are processed by and the product never imports; the tests
read the recorded file. SAM 1 is processed by the Pillow variant. Of inputs at their real size only
every 41st row and column is kept.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).parents[2] / "golden" / "preprocessing" / "sam.npz"
SMALL = 32
EVERY = 41
REAL = {"sam1": 1024, "sam2": 1024, "sam3": 1008}


def pictures() -> dict[str, np.ndarray]:
    """One picture that is enlarged and one that is reduced: (H, W, 3) uint8, noise and ramps."""
    made = {}
    for name, (height, width) in {"low": (30, 41), "tall": (97, 53)}.items():
        noise = np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)
        noise[: height // 2] = np.linspace(0, 255, width, dtype=np.uint8)[:, None]
        made[name] = noise
    return made


def main() -> None:
    """Run the processors and write the file."""
    from transformers import Sam2ImageProcessor, Sam3ImageProcessor
    from transformers.models.sam.image_processing_pil_sam import SamImageProcessorPil

    processors = {
        "sam1": lambda square: SamImageProcessorPil(
            size={"longest_edge": square["height"]}, pad_size=square
        ),
        "sam2": lambda square: Sam2ImageProcessor(size=square),
        "sam3": lambda square: Sam3ImageProcessor(size=square),
    }
    recorded = {}
    for family, real in REAL.items():
        for side, step in ((SMALL, 1), (real, EVERY)):
            processor = processors[family]({"height": side, "width": side})
            for name, picture in pictures().items():
                made = processor(
                    images=picture, return_tensors="np", input_data_format="channels_last"
                )
                recorded[f"{family}-{side}-{name}"] = made["pixel_values"][0][:, ::step, ::step]
    FILE.parent.mkdir(exist_ok=True)
    np.savez_compressed(FILE, **recorded)


if __name__ == "__main__":
    main()
