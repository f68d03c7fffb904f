"""Pictures that stay encoded between questions: bounded in number, pixels and time."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass

from askmask.models.segmenter import Segmenter
from askmask.serve.limits import Limits

__all__ = ["KeptPicture", "KeptPictures", "picture_id"]


def picture_id(data: bytes) -> str:
    """Name of a picture: the same file has the same one, so that sending it again is harmless."""
    return hashlib.sha256(data).hexdigest()[:32]


@dataclass(frozen=True)
class KeptPicture:
    """An encoded picture.

    Attributes:
        id: of the file that was sent.
        size_hw: height and width, turned upright.
        segmenter: looks at it; to be used in the model's thread only.
    """

    id: str
    size_hw: tuple[int, int]
    segmenter: Segmenter

    @property
    def pixels(self) -> int:
        """Height times width."""
        return self.size_hw[0] * self.size_hw[1]


class KeptPictures:
    """The pictures of a server, the one that was used last at the end."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._pictures: OrderedDict[str, tuple[float, KeptPicture]] = OrderedDict()
        self._pixels = 0

    def __len__(self) -> int:
        self._forget_old()
        return len(self._pictures)

    def get(self, id: str) -> KeptPicture | None:
        """Return a picture and count it as used, or None when it is not there any more."""
        self._forget_old()
        found = self._pictures.get(id)
        if found is None:
            return None
        self._pictures[id] = (time.monotonic(), found[1])
        self._pictures.move_to_end(id)
        return found[1]

    def put(self, picture: KeptPicture) -> None:
        """Keep a picture; those that were used longest ago make room for it."""
        self.drop(picture.id)
        self._pictures[picture.id] = (time.monotonic(), picture)
        self._pixels += picture.pixels
        self._forget_old()
        while len(self._pictures) > 1 and (
            len(self._pictures) > self._limits.kept_pictures
            or self._pixels > self._limits.kept_pixels
        ):
            self._pop_oldest()

    def drop(self, id: str) -> bool:
        """Forget a picture; return whether it was there."""
        found = self._pictures.pop(id, None)
        if found is not None:
            self._pixels -= found[1].pixels
        return found is not None

    def _forget_old(self) -> None:
        since = time.monotonic() - self._limits.kept_seconds
        while self._pictures and next(iter(self._pictures.values()))[0] < since:
            self._pop_oldest()

    def _pop_oldest(self) -> None:
        _, (_, picture) = self._pictures.popitem(last=False)
        self._pixels -= picture.pixels
