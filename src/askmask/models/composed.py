"""Composed models: three parts, each from where its name says, behind one `Pipeline`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeAlias

from askmask.errors import AskmaskWarning, ConfigError, NoRoomError
from askmask.models.by_name import class_at, unknown
from askmask.models.completion import DEFAULT_COMPLETER, load_completer
from askmask.models.embedded.mask_type import EmbeddedMaskTyper
from askmask.models.embedded.proposer import EmbeddedProposer
from askmask.models.embedded.selector import EmbeddedSelector
from askmask.models.embedded.weights import EmbeddedWeights
from askmask.models.embedded.words import EmbeddedWords
from askmask.models.hub.catalog import CATALOG, PRESETS, Published
from askmask.models.hub.loading import Where
from askmask.models.hub.machine import check_room
from askmask.models.pipeline import Pipeline
from askmask.models.segmenter import Segmenter
from askmask.models.spec import EXAMPLE, WHOLE, Part, lacking, parse, parse_whole

__all__ = ["load_composed"]

_EMBEDDED = "embedded-v1"

_Loader: TypeAlias = Callable[[], Any]


def load_composed(text: str, where: Where) -> Segmenter:
    """Load what a name with kinds says; all names are checked before anything is loaded.

    Args:
        text: PROPOSER+COMPLETER+SELECTOR, see `spec`, or hub: and the name of a whole model.
        where: device and precision of what comes from the hub.

    Raises:
        ConfigError: for a name or option that is not known, or parts that do not fit.
        WeightsError: when files are missing, gated, or too large for the memory.
        LLMError: when a server's credentials are missing.
    """
    if text.startswith("hub:") and "+" not in text:
        return _load_whole(text, where)
    parts = proposer, _, selector = parse(text)
    published = {part.name: _published(part) for part in parts if part.kind == "hub"}
    if selector.kind == "" and (proposer.kind, proposer.name) != ("", selector.name):
        raise selector.wrong(
            f"{selector.name} chooses among the candidates of its own proposer only: use it as the "
            "proposer too, or another selector (askmask models)"
        )
    loaders = [_loader(part, proposer, where) for part in parts]
    check_room(published, where)
    stages = [_loaded(part, load) for part, load in zip(parts, loaders, strict=True)]
    device = where.torch_device().type if published else "cpu"
    return Pipeline(*stages, model_id=text, device=device)


def _load_whole(text: str, where: Where) -> Segmenter:
    """Load a model of the hub that is all three stages, composed of parts or in one.

    Args:
        text: hub: and one of `PRESETS`, or of `CATALOG`'s segmenters with source and options.
        where: device and precision.

    Raises:
        ConfigError: for another name.
        WeightsError: as of `load_composed`.
    """
    part = parse_whole(text)
    if text == f"hub:{part.name}" and part.name in PRESETS:
        return _load_preset(part.name, where)
    published = CATALOG.get(part.name)
    if published is None:
        whole = [name for name, one in CATALOG.items() if one.stage == WHOLE]
        raise unknown("model", text, [f"hub:{name}" for name in (*PRESETS, *whole)])
    if published.stage != WHOLE:
        raise ConfigError(
            f"{text} is a {published.stage} and no whole model: expected "
            f"PROPOSER+COMPLETER+SELECTOR, e.g. {EXAMPLE}"
        )
    load = _loader(part, part, where)
    check_room({part.name: published}, where)
    segmenter: Segmenter = _loaded(part, load)
    return segmenter


def _load_preset(name: str, where: Where) -> Segmenter:
    """Load one of `PRESETS`, or the next smaller one that the memory holds."""
    preset = PRESETS[name]
    try:
        return load_composed(preset.parts, where)
    except NoRoomError as error:
        if preset.smaller is None:
            raise
        warnings.warn(f"{error}; taking hub:{preset.smaller}", AskmaskWarning, stacklevel=2)
        return _load_preset(preset.smaller, where)


def _published(part: Part) -> Published:
    """What the catalog says of a part.

    Raises:
        ConfigError: when it knows no such name, or one of another stage.
    """
    fitting = [name for name, one in CATALOG.items() if one.stage == part.stage]
    if part.name in fitting:
        return CATALOG[part.name]
    if part.name in CATALOG:
        raise part.wrong(
            f"hub:{part.name} is a {CATALOG[part.name].stage}; {part.stage}s are "
            f"{', '.join(fitting)}"
        )
    raise part.wrong(unknown(f"hub {part.stage}", part.name, fitting))


def _loader(part: Part, proposer: Part, where: Where) -> _Loader:
    """What loads a part; names are looked up now, weights are read when it is called."""
    options: dict[str, Any] = dict(part.options)
    match part.kind:
        case "hub":
            published = _published(part)
            options = {**published.options, **options}
            source = part.source or published.source
            if not published.repository and part.source is None:
                raise part.wrong(
                    f"{part.name} is not on the hub: expected hub:{part.name}=PATH of its weights, "
                    "see docs/hub-models.md"
                )
            return lambda: class_at(published.target).load(source, where, **options)
        case "file":
            from askmask.models.proposals_file import FileProposer

            return lambda: FileProposer.load(part.name, **options)
        case "openai" | "anthropic":
            from askmask.models.api_judge import ApiJudge

            return lambda: ApiJudge.load(part.kind, part.name, part.source, **options)
    if options:
        raise part.wrong(f"{part.name} has no options, got {', '.join(options)}")
    return _own_completer(part, proposer) if part.stage == "completer" else _embedded(part)


def _own_completer(part: Part, proposer: Part) -> _Loader:
    """What completes any mask; the proposer of the embedded model can do so itself."""
    if part.name != _EMBEDDED:
        return lambda: load_completer(part.name)
    if (proposer.kind, proposer.name) == ("", _EMBEDDED):
        return lambda: None
    return lambda: load_completer(DEFAULT_COMPLETER)


def _embedded(part: Part) -> _Loader:
    """A stage of the embedded model, shipped or in a folder."""
    weights = EmbeddedWeights(part.name)
    if not weights.named.is_dir():
        raise part.wrong(unknown("model", part.name, [_EMBEDDED]))
    if part.stage == "proposer":
        return lambda: EmbeddedProposer(weights)
    words = EmbeddedWords(weights)
    return lambda: EmbeddedSelector(weights, words, EmbeddedMaskTyper(weights, words))


def _loaded(part: Part, load: _Loader) -> Any:
    """Load a part; an option that its class lacks is told like any other slip."""
    try:
        return load()
    except TypeError as error:
        if (option := lacking(error, part.options)) is None:
            raise
        raise part.wrong(f"{part.name} has no option {option!r}") from error
