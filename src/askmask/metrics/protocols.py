"""Protocols: which figures a benchmark reports, and its side of the rules on which papers differ.

A protocol does not choose queries: give it the file that the benchmark scores. Masks are compared
in the picture's own size. What differs from the official code stands in docs/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from askmask.errors import ConfigError
from askmask.metrics.columns import on_disk
from askmask.metrics.counts import Counts
from askmask.metrics.figures import AP_FAMILY, FIGURES, PRECISIONS, Rules, compute
from askmask.metrics.figures import settings_of as rules_of
from askmask.metrics.slices import FAMILIES
from askmask.metrics.terms import Metric

__all__ = ["PROTOCOLS", "Protocol", "load_protocol", "settings_of", "terms_of"]


@dataclass(frozen=True)
class Protocol:
    """One benchmark's choice.

    Attributes:
        name: as given on the command line and printed in signatures.
        metrics: names of the figures, in the order in which they are printed.
        slices: families of slices on which the figures are printed again.
        rules: its side of the rules on which papers differ.
        needs_instances: whether answers of one fused mask are refused where figures need
            instances; otherwise those figures are undefined.
    """

    name: str
    metrics: tuple[str, ...]
    slices: tuple[str, ...] = ()
    rules: Rules = field(default_factory=Rules)
    needs_instances: bool = True


_FUSED = ("gIoU", "cIoU")

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        # Ours: every figure and every slice.
        Protocol("select", tuple(FIGURES), slices=tuple(FAMILIES), needs_instances=False),
        # RefCOCO family, one target a sentence. Codes differ in > and >= at the thresholds.
        Protocol("res", (*_FUSED, *PRECISIONS)),
        # gRefCOCO as in ReLA's evaluator.
        Protocol(
            "gres",
            (*_FUSED, "Pr@0.7", "Pr@0.8", "Pr@0.9", "N-acc", "T-acc"),
            rules=Rules(rejection="answer", comparison=">="),
        ),
        # LISA's validation; 255 in its masks is our ignore region.
        Protocol("reasonseg", _FUSED),
        # Tables of R2SM: "All" is the whole, "Amodal" the slice mask_type=amodal.
        Protocol("r2sm", (*_FUSED, *AP_FAMILY), slices=("mask_type",)),
        # RAS reports without reference, with reference and overall; its empty rule is not stated.
        Protocol("ores", (*_FUSED, "F1@0.5"), slices=("reference",)),
        # PixelLM's paper: targets one by one. Its code matches on random points.
        Protocol("muse", (*_FUSED, "F1@0.5"), slices=("targets",), rules=Rules(unit="instance")),
    )
}

_OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "empty": ("both_empty", ("0", "1")),
    "reject": ("rejection", ("area", "answer")),
    "pass": ("comparison", (">", ">=")),
    "epsilon": ("epsilon", ("none", "lisa", "psalm")),
}
"""Option as signatures write it -> attribute of `Rules`, and its values."""


def _changed(rules: Rules, options: str) -> Rules:
    """Apply options such as "empty=0,epsilon=lisa"."""
    for option in options.split(","):
        name, _, value = option.partition("=")
        attribute, values = _OPTIONS.get(name, ("", ()))
        if value not in values:
            known = "; ".join(f"{key}={'|'.join(of)}" for key, (_, of) in _OPTIONS.items())
            raise ConfigError(f"protocol option: expected {known}, got {option!r}")
        changes: Mapping[str, object] = {attribute: int(value) if value.isdigit() else value}
        rules = replace(rules, **changes)  # type: ignore[arg-type]
    return rules


def load_protocol(name: str) -> Protocol:
    """Return the preset of this name, with the options after a colon changed.

    Args:
        name: e.g. "gres" or "reasonseg:empty=0,epsilon=lisa".

    Raises:
        ConfigError: when preset or option are not known, naming those that exist.
    """
    preset, colon, options = name.partition(":")
    if preset not in PROTOCOLS:
        raise ConfigError(f"protocol: expected one of {', '.join(PROTOCOLS)}, got {name!r}")
    protocol = PROTOCOLS[preset]
    return replace(protocol, rules=_changed(protocol.rules, options)) if colon else protocol


def terms_of(counts: Counts, protocol: Protocol) -> dict[str, Metric]:
    """Compute the protocol's metrics before their division, by name."""
    return {name: on_disk(compute(name, counts, protocol.rules)) for name in protocol.metrics}


def settings_of(metric: str, protocol: Protocol) -> dict[str, object]:
    """Return the protocol and the rules that bear on a metric, as its signature shows them."""
    return {"protocol": protocol.name, **rules_of(metric, protocol.rules)}
