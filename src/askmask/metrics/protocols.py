"""Protocols: which figures a benchmark reports, and its side of the rules on which papers differ.

A protocol does not choose queries: give it the file that the benchmark scores. Masks are compared
in the picture's own size; ReLA's code does so at 480 x 480, which moves its figures slightly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from askmask.errors import ConfigError
from askmask.metrics.counts import Counts
from askmask.metrics.hidden import hidden_part_iou
from askmask.metrics.iou import Comparison, Rejection, ciou, giou, precision_at
from askmask.metrics.mask_type import mask_type_accuracy, switch_accuracy
from askmask.metrics.no_target import n_acc, t_acc
from askmask.metrics.slices import FAMILIES
from askmask.metrics.terms import Terms

__all__ = ["PROTOCOLS", "Protocol", "load_protocol", "settings_of", "terms_of"]

_PRECISIONS = ("Pr@0.5", "Pr@0.6", "Pr@0.7", "Pr@0.8", "Pr@0.9")


@dataclass(frozen=True)
class Protocol:
    """One benchmark's choice.

    Attributes:
        name: as given on the command line and printed in signatures.
        metrics: names of the figures, in the order in which they are printed.
        slices: families of slices on which the figures are printed again.
        both_empty: IoU of a correct "no target".
        rejection: what makes an answer a "no target": no pixels, or no mask.
        comparison: how an IoU passes the threshold of Pr@t.
    """

    name: str
    metrics: tuple[str, ...]
    slices: tuple[str, ...] = ()
    both_empty: Literal[0, 1] = 1
    rejection: Rejection = "area"
    comparison: Comparison = ">"


def _precision(threshold: float) -> Callable[[Counts, Protocol], Terms]:
    return lambda counts, p: precision_at(
        counts, threshold, comparison=p.comparison, rejection=p.rejection
    )


_METRICS: dict[str, Callable[[Counts, Protocol], Terms]] = {
    "gIoU": lambda counts, p: giou(counts, both_empty=p.both_empty, rejection=p.rejection),
    "cIoU": lambda counts, p: ciou(counts, rejection=p.rejection),
    **{name: _precision(float(name.removeprefix("Pr@"))) for name in _PRECISIONS},
    "N-acc": lambda counts, _: n_acc(counts),
    "T-acc": lambda counts, _: t_acc(counts),
    "mask-type-accuracy": lambda counts, _: mask_type_accuracy(counts),
    "switch-accuracy": lambda counts, _: switch_accuracy(counts),
    "hidden-part-IoU": lambda counts, _: hidden_part_iou(counts),
}

PROTOCOLS: dict[str, Protocol] = {
    protocol.name: protocol
    for protocol in (
        # Ours: every figure and every slice.
        Protocol("select", tuple(_METRICS), slices=tuple(FAMILIES)),
        # RefCOCO family, one target a sentence. Codes differ in > and >= at the thresholds.
        Protocol("res", ("gIoU", "cIoU", *_PRECISIONS)),
        # gRefCOCO as in ReLA's evaluator.
        Protocol(
            "gres",
            ("gIoU", "cIoU", "Pr@0.7", "Pr@0.8", "Pr@0.9", "N-acc", "T-acc"),
            rejection="answer",
            comparison=">=",
        ),
        # LISA's validation; 255 in its masks is our ignore region.
        Protocol("reasonseg", ("gIoU", "cIoU")),
        # Tables of R2SM: "All" is the whole, "Amodal" the slice mask_type=amodal.
        Protocol("r2sm", ("gIoU", "cIoU"), slices=("mask_type",)),
        # RAS reports without reference, with reference and overall; its empty rule is not stated.
        Protocol("ores", ("gIoU", "cIoU"), slices=("reference",)),
    )
}


def load_protocol(name: str) -> Protocol:
    """Return the preset of this name.

    Raises:
        ConfigError: when there is none, naming those that exist.
    """
    if name not in PROTOCOLS:
        raise ConfigError(f"protocol: expected one of {', '.join(PROTOCOLS)}, got {name!r}")
    return PROTOCOLS[name]


def terms_of(counts: Counts, protocol: Protocol) -> dict[str, Terms]:
    """Compute the terms of the protocol's metrics, by name."""
    return {name: _METRICS[name](counts, protocol) for name in protocol.metrics}


def settings_of(metric: str, protocol: Protocol) -> dict[str, object]:
    """Return the protocol and the rules that bear on a metric, as its signature shows them."""
    settings: dict[str, object] = {"protocol": protocol.name}
    if metric == "gIoU":
        settings["empty"] = protocol.both_empty
    if metric in ("gIoU", "cIoU") or metric in _PRECISIONS:
        settings["reject"] = protocol.rejection
    if metric in _PRECISIONS:
        settings["pass"] = protocol.comparison
    return settings
