"""The fixed splits of the benchmark: which scenes, which words, which things; and how hard.

definition   the named splits, with seeds and wordings of their own
held_out     looks and categories that training never sees, and the rule that chose them
compositor   scenes of a split from the sprite bank, where there is no renderer
labels       what a query counts for in the balance
balance      choosing queries so that their kinds come out near given shares
sgdr         queries that only the picture can answer
ask          `ask_split`: balanced queries for a folder of scenes, whoever made it
build        `build_split`: scenes and queries, from any function of a seed
checksums    the hash of every file of a built split, and whether a rebuilt one has them
text_only    what can be answered without the picture
"""

from __future__ import annotations

from askmask.pantry.splits.ask import ask_split
from askmask.pantry.splits.build import SceneMaker, build_split
from askmask.pantry.splits.checksums import verify_checksums
from askmask.pantry.splits.definition import SPLITS, Split

__all__ = ["SPLITS", "SceneMaker", "Split", "ask_split", "build_split", "verify_checksums"]
