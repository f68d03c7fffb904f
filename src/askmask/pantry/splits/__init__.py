"""The fixed splits of the benchmark: which scenes, which words, which things; and how hard.

definition   the named splits, with seeds and wordings of their own
held_out     designs, models, categories and surfaces that training never sees
labels       what a query counts for in the balance
balance      choosing queries so that their kinds come out near given shares
sgdr         queries that only the picture can answer
ask          `ask_split`: balanced queries for a folder of scenes, whoever made it
card         the data card of a built split
checksums    the hash of every file of a built split, and whether a rebuilt one has them
text_only    what can be answered without the picture

The scenes themselves are made by `pantry.world`.
"""

from __future__ import annotations

from askmask.pantry.splits.ask import ask_split
from askmask.pantry.splits.checksums import is_published, verify_checksums
from askmask.pantry.splits.definition import SPLITS, Split, split_named

__all__ = ["SPLITS", "Split", "ask_split", "is_published", "split_named", "verify_checksums"]
