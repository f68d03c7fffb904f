"""What a server accepts, and how much it keeps. All in one place, and all finite."""

from __future__ import annotations

from dataclasses import dataclass, fields

from askmask.errors import ConfigError
from askmask.images import MAX_IMAGE_PIXELS

__all__ = ["MAX_BATCH", "MAX_REFERENCES", "Limits"]

MAX_BATCH = 64
"""Most questions in one batch."""

MAX_REFERENCES = 8
"""Most references of one sentence: what the embedded model looks at."""


@dataclass(frozen=True)
class Limits:
    """Limits of a server; each is more than 0.

    Attributes:
        max_body_bytes: largest request.
        max_pixels: largest picture. One of 16 megapixels takes about 800 MB while it is encoded.
        max_queue: requests that wait for the model beside the one that it works on.
        max_requests: requests that are open at a time, those that still arrive among them.
        max_open_bytes: bodies of all open requests together.
        body_seconds: time in which a request must have arrived.
        seconds: time after its arrival in which a request must be answered.
        kept_pictures: pictures that stay encoded; the one that was asked about longest ago goes.
        kept_pixels: pixels of all of them together.
        kept_seconds: time after the last question for which a picture stays.
    """

    max_body_bytes: int = 20_000_000
    max_pixels: int = 16_000_000
    max_queue: int = 32
    max_requests: int = 256
    max_open_bytes: int = 256_000_000
    body_seconds: float = 60
    seconds: float = 30
    kept_pictures: int = 64
    kept_pixels: int = 100_000_000
    kept_seconds: float = 900

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not value > 0:
                raise ConfigError(f"limit {field.name}: expected more than 0, got {value}")
        if self.max_pixels > MAX_IMAGE_PIXELS:
            raise ConfigError(
                f"limit max_pixels: expected at most {MAX_IMAGE_PIXELS:,}, got {self.max_pixels:,}"
            )
