"""Checks of the sentences that come in through the command line."""

from __future__ import annotations

from askmask.errors import QueryError

__all__ = ["checked_sentence"]


def checked_sentence(text: str, where: str) -> str:
    """Return `text`, or refuse what no model should see; `[1]` may stand for nothing here.

    Raises:
        QueryError: naming `where` when the sentence is empty, too long or not Unicode.
    """
    from askmask.types import MAX_TEXT

    if not text.strip():
        raise QueryError(f"{where}: the sentence is empty: say what to segment, or drop the line")
    if len(text) > MAX_TEXT:
        raise QueryError(
            f"{where}: the sentence has {len(text):,} characters, at most {MAX_TEXT:,} are "
            "accepted: shorten it"
        )
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise QueryError(f"{where}: the sentence is not valid UTF-8")
    return text
