"""HTML and SVG whose texts cannot become markup: strings are escaped unless they are `Markup`."""

from __future__ import annotations

from html import escape

__all__ = ["Markup", "document", "joined", "tag"]

_VOID = frozenset({"br", "img", "link", "meta"})
"""HTML elements without content and closing tag."""


class Markup(str):
    """Text that is HTML or SVG already."""

    __slots__ = ()


def joined(*parts: str) -> Markup:
    """Put parts one after the other, escaping those that are no markup."""
    return Markup("".join(p if isinstance(p, Markup) else escape(p) for p in parts))


def tag(name: str, /, *children: str, **attributes: object) -> Markup:
    """Return an element with its children.

    Args:
        name: of the element.
        children: texts, which are escaped, and markup.
        attributes: underscores become hyphens and one at the end goes away (`class_`); None and
            False leave the attribute out, True writes it without a value.
    """
    written = []
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            written.append(f" {key}")
        elif value is not None and value is not False:
            written.append(f' {key}="{escape(str(value))}"')
    end = "" if name in _VOID else f"</{name}>"
    return Markup(f"<{name}{''.join(written)}>{joined(*children)}{end}")


def document(title: str, *body: str, scripts: tuple[str, ...] = ()) -> Markup:
    """Return a whole page that takes `page.css` and its scripts from its own folder."""
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("link", rel="icon", href="data:,"),
        tag("link", rel="stylesheet", href="page.css"),
        *(tag("script", src=script, defer=True) for script in scripts),
    )
    page = tag("html", head, "\n", tag("body", *body), lang="en")
    return Markup(f"<!doctype html>\n{page}\n")
