"""The rows of the study: which recipe trains each, from where it starts, and where it lies."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from askmask.errors import ConfigError
from askmask.models.system_weights import SYSTEMS

__all__ = ["AS_THEY_ARE", "DAGGER", "FUSED", "Budget", "Row", "default_rows", "parse_row"]

AS_THEY_ARE = ("embedded-v1",)
"""Rows without a training: our model, beside the systems."""

DAGGER = "-dagger"
"""Ends the name of a row that is fine-tuned on all mask types."""

FUSED = ("lisa", "rea2seg", "rela")
"""Systems with one mask an answer, which are left out of the table of instances."""

AT_RUN_TIME = {"rea2seg": ("rerank", "top")}
"""Options that change an answer without a training; such a row has the weights of the plain one."""

_BASE_TYPES = 'types=["modal"]'


@dataclass(frozen=True)
class Budget:
    """How long rows are trained, and by which recipes.

    Attributes:
        name: "large" and "smoke" are recipes of their own with their own length; anything else,
            e.g. "10m" or "5000 steps", is the length of the small recipes.
    """

    name: str

    @property
    def length(self) -> str | None:
        """What `askmask train --budget` is given; None for the recipe's own."""
        return None if self.name in ("large", "smoke") else self.name

    @property
    def infix(self) -> str:
        """Part of the recipe's name between the system and "-dagger"."""
        return f"-{self.name}" if self.length is None else ""


@dataclass(frozen=True)
class Row:
    """One row.

    Attributes:
        system: key of `SYSTEMS`, or a model of `AS_THEY_ARE`.
        dagger: whether it is fine-tuned on all mask types.
        options: of the design, changed from their defaults; an ablation.
    """

    system: str
    dagger: bool = False
    options: tuple[tuple[str, Any], ...] = ()

    @property
    def name(self) -> str:
        """As on the command line, and as its folder is called."""
        told = ",".join(f"{key}={json.dumps(value)}" for key, value in self.options)
        return self.system + DAGGER * self.dagger + (f"+{told}" if told else "")

    @property
    def trained(self) -> bool:
        """Whether it is one of the systems."""
        return self.system in SYSTEMS

    @property
    def base(self) -> Row | None:
        """The row that this one starts from."""
        return replace(self, dagger=False) if self.dagger else None

    @property
    def weights_of(self) -> Row:
        """The row that is trained for this one; itself unless only the answering differs."""
        later = AT_RUN_TIME.get(self.system, ())
        kept = tuple((key, value) for key, value in self.options if key not in later)
        return replace(self, options=kept)

    @property
    def answers_otherwise(self) -> bool:
        """Whether it has the weights of another row and only answers otherwise."""
        return self.weights_of != self

    def recipe(self, budget: Budget) -> str:
        """Name of its recipe."""
        # The smoke recipes have no dagger of their own; mask types are set below.
        ending = DAGGER if self.dagger and budget.name != "smoke" else ""
        return self.system + budget.infix + ending

    @property
    def settings(self) -> tuple[str, ...]:
        """Changes of the recipe, as `askmask train --set` takes them."""
        options = (f"options={json.dumps(dict(self.options))}",) if self.options else ()
        return options if self.dagger else (*options, _BASE_TYPES)

    def folder(self, out: Path, seed: int) -> Path:
        """Where it lies."""
        return out / self.name / f"seed-{seed}"


def parse_row(text: str) -> Row:
    """Read a row such as "lisa", "lisa-dagger" or "ras-dagger+autoregressive=true".

    Raises:
        ConfigError: for a system that is not known, or options that are not NAME=JSON.
    """
    name, _, told = text.partition("+")
    system = name.removesuffix(DAGGER)
    if system not in SYSTEMS and name not in AS_THEY_ARE:
        known = ", ".join((*SYSTEMS, *AS_THEY_ARE))
        raise ConfigError(f"--rows: expected {known}, or one with {DAGGER}; got {text!r}")
    options = []
    for part in told.split(",") if told else ():
        key, _, value = part.partition("=")
        try:
            options.append((key, json.loads(value)))
        except ValueError as error:
            raise ConfigError(f"--rows {text}: expected NAME=JSON, got {part!r}") from error
    return Row(system, name.endswith(DAGGER), tuple(options))


def default_rows() -> list[Row]:
    """Every system before and after fine-tuning, the ablations of the papers, and our model."""
    rows = [Row(system, dagger) for system in SYSTEMS for dagger in (False, True)]
    ablations: dict[str, list[tuple[str, Any]]] = {
        "ras": [("autoregressive", True)],
        "rea2seg": [("rerank", False), ("top", 1), ("top", 5), ("top", 8)],
    }
    rows += [
        Row(system, True, (option,))
        for system, options in ablations.items()
        if system in SYSTEMS
        for option in options
    ]
    return rows + [Row(name) for name in AS_THEY_ARE]
