"""What a query counts for in the balance: family -> names, e.g. "targets" -> "2-3".

The names of mask type, number of targets and occlusion are those of the slices of reports.
"""

from __future__ import annotations

from collections.abc import Mapping

from askmask.pantry.language.queries import GeneratedQuery
from askmask.pantry.scene import Scene
from askmask.pantry.splits.sgdr import dimensions, is_sgdr

__all__ = ["TASKS", "WANTED", "WEIGHTS", "labels", "task"]

TASKS = ("res", "gres", "reasoning", "ores")
"""Referring to one thing; to none or several; by reasoning; with references. The mask type runs
through all of them: asked for amodally, each is a query of R2SM's kind."""

WANTED: Mapping[str, Mapping[str, float]] = {
    "mask_type": {"modal": 0.46, "amodal": 0.44, "hidden": 0.10},
    "task": {"res": 0.15, "gres": 0.15, "reasoning": 0.45, "ores": 0.25},
    "targets": {"0": 0.10, "1": 0.55, "2-3": 0.25, "4+": 0.10},
    "reasoning": {
        "spatial": 0.36,
        "geometric": 0.22,
        "discriminative": 0.14,
        "multi-step": 0.24,
        "function": 0.08,
    },
    "occlusion": {"0": 0.25, "0-0.2": 0.20, "0.2-0.5": 0.25, "0.5+": 0.20},
    "sgdr": {"spatial": 0.10, "geometric": 0.07, "discriminative": 0.05, "multi-step": 0.07},
}
"""Family -> name -> share of all queries. The families "reasoning" and "sgdr" overlap; the shares
of "occlusion" leave out the queries without targets."""

WEIGHTS: Mapping[str, float] = {"mask_type": 4.0}
"""How much the shares of a family matter; 1 where nothing is said."""


def labels(scene: Scene, query: GeneratedQuery) -> tuple[tuple[str, str], ...]:
    """Family and name of everything that a query counts for."""
    found = [
        ("mask_type", str(query.mask_type)),
        ("task", task(query)),
        ("targets", ("0", "1", "2-3", "2-3", "4+")[min(len(query.targets), 4)]),
    ]
    found += [("reasoning", name) for name in _reasoning(query)]
    if query.targets:
        found.append(("occlusion", _occlusion(scene, query.targets)))
    if is_sgdr(scene, query):
        found += [("sgdr", name) for name in dimensions(query)]
    return tuple(found)


def task(query: GeneratedQuery) -> str:
    """The special case of the task that a query is; every query is one of `TASKS`."""
    if query.references:
        return "ores"
    if _reasoning(query):
        return "reasoning"
    return "res" if len(query.targets) == 1 else "gres"


def _reasoning(query: GeneratedQuery) -> tuple[str, ...]:
    known = WANTED["reasoning"]
    return tuple(name for name in known if f"reasoning:{name}" in query.tags)


def _occlusion(scene: Scene, targets: tuple[int, ...]) -> str:
    """Bin of the hidden share of all targets' pixels."""
    amodal = sum(int(scene.objects[one].amodal.sum()) for one in targets)
    modal = sum(int(scene.objects[one].modal.sum()) for one in targets)
    rate = (amodal - modal) / amodal
    if rate <= 0.0:
        return "0"
    return "0-0.2" if rate < 0.2 else "0.2-0.5" if rate < 0.5 else "0.5+"
