"""`askmask doctor`: what is installed, what works, and what to do about the rest."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from typing import Annotated

import typer

__all__ = ["Check", "checks", "doctor"]

_CORE = {
    "numpy": "numpy",
    "pillow": "PIL",
    "onnxruntime": "onnxruntime",
    "tokenizers": "tokenizers",
    "rich": "rich",
    "typer": "typer",
}
"""Distribution -> module of the packages that everything needs."""

_EXTRAS = {
    "scenes": "composing scenes and queries (askmask build)",
    "render": "rendering sprites and scenes in 3D (askmask build pantry)",
    "llm": "queries written by Anthropic's models (askmask author)",
    "serve": "the server (askmask serve)",
    "parquet": "parquet files (askmask convert)",
    "fast": "reading and scoring in a fraction of the time",
    "hub": "models of Hugging Face (askmask models)",
    "train": "training and exporting the embedded model (askmask train)",
}
"""Extra of pyproject.toml -> what it enables."""

_TORCHVISION_SECONDS = 120
_HUB_SECONDS = 5
_MARKS = {"ok": "[green]ok[/green]", "absent": "[dim]absent[/dim]", "broken": "[red]broken[/red]"}


@dataclass(frozen=True)
class Check:
    """One finding.

    Attributes:
        name: what was looked at.
        status: "ok", "absent" (optional and not there) or "broken".
        detail: version, path or what went wrong.
        advice: what to do next; empty when all is well.
        core: whether askmask cannot work without it.
    """

    name: str
    status: str
    detail: str
    advice: str = ""
    core: bool = False


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
) -> None:
    """Check the installation. Exit code 1 only when the core is broken."""
    found = list(checks())
    healthy = not any(check.core and check.status != "ok" for check in found)
    if as_json:
        typer.echo(json.dumps({"ok": healthy, "checks": [asdict(check) for check in found]}))
    else:
        _print(found, healthy)
    if not healthy:
        raise typer.Exit(1)


def checks() -> Iterator[Check]:
    """Look at interpreter, machine, packages, models, extras and drivers, in this order."""
    yield Check("python", "ok", f"{platform.python_version()} at {sys.executable}", core=True)
    system = f"{platform.system()} {platform.release()} {platform.machine()}"
    yield Check("platform", "ok", f"{system}, {os.cpu_count()} cores")
    for distribution, module in _CORE.items():
        yield _package(distribution, module)
    yield from _models()
    for extra, purpose in _EXTRAS.items():
        yield _extra(extra, purpose)
    if find_spec("torchvision") is not None:
        yield _torchvision()
    if find_spec("huggingface_hub") is not None:
        yield _hub_cache()
        yield _hub_connection()
    yield _vulkan()


def _package(distribution: str, module: str) -> Check:
    """Import a core package: one that is installed may still not load."""
    try:
        import_module(module)
        return Check(distribution, "ok", metadata.version(distribution), core=True)
    except Exception as error:
        advice = f"pip install --force-reinstall {distribution}"
        return Check(distribution, "broken", _line(error), advice, core=True)


def _models() -> Iterator[Check]:
    """Hash the files of the models that ship with askmask, and open them."""
    from askmask.errors import AskmaskError
    from askmask.models.registry import available, load

    for name in available():
        try:
            from askmask.models.embedded.weights import EmbeddedWeights

            EmbeddedWeights(name).verify()
            digest = load(name).weights_hash or ""
            detail = f"SHA-256 {digest[:16]}… verified"
            yield Check(f"model {name}", "ok", detail, core=True)
        except AskmaskError as error:
            yield Check(f"model {name}", "broken", _line(error), core=True)


def _extra(extra: str, purpose: str) -> Check:
    """Look up the packages that the extra of this very installation asks for."""
    name = f"extra [{extra}]"
    missing, present = [], []
    for requirement in metadata.requires("askmask") or ():
        wanted, _, marker = requirement.partition(";")
        if re.search(rf"extra == ['\"]{extra}['\"]", marker):
            package = re.split(r"[\s<>=!~\[]", wanted.strip())[0]
            try:
                present.append(f"{package} {metadata.version(package)}")
            except metadata.PackageNotFoundError:
                missing.append(package)
    if missing:
        advice = f"for {purpose}: pip install 'askmask[{extra}]'"
        return Check(name, "absent", f"no {', '.join(missing)}", advice)
    return Check(name, "ok", ", ".join(present))


def _torchvision() -> Check:
    """Import torchvision in a process of its own; a broken one takes transformers down with it."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", "import torchvision; print(torchvision.__version__)"],
            capture_output=True,
            text=True,
            timeout=_TORCHVISION_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        reason = f"no import within {_TORCHVISION_SECONDS} s"
    else:
        if done.returncode == 0:
            return Check("torchvision", "ok", done.stdout.strip())
        reason = (done.stderr.strip().splitlines() or ["it crashes"])[-1]
    advice = "askmask does not need it, and transformers fails with it: pip uninstall torchvision"
    return Check("torchvision", "broken", reason, advice)


def _hub_cache() -> Check:
    """Count the models of the catalog that are in the cache of the hub."""
    from huggingface_hub.constants import HF_HUB_CACHE

    from askmask.models.hub.catalog import CATALOG
    from askmask.models.hub.machine import downloaded

    here = [name for name, model in CATALOG.items() if downloaded(model)]
    detail = f"{len(here)} of {len(CATALOG)} models of `askmask models` at {HF_HUB_CACHE}"
    return Check("hub cache", "ok", detail)


def _hub_connection() -> Check:
    """Ask the hub for its front page."""
    import http.client
    import urllib.request

    from huggingface_hub.constants import ENDPOINT, HF_HUB_OFFLINE

    if HF_HUB_OFFLINE:
        advice = "models that are not in the cache need it: unset HF_HUB_OFFLINE"
        return Check("hub connection", "absent", "switched off by HF_HUB_OFFLINE", advice)
    try:
        with urllib.request.urlopen(
            urllib.request.Request(ENDPOINT, method="HEAD"), timeout=_HUB_SECONDS
        ):
            return Check("hub connection", "ok", ENDPOINT)
    except (OSError, ValueError, http.client.HTTPException) as error:
        advice = "models in the cache or in folders work all the same"
        return Check("hub connection", "absent", f"{ENDPOINT}: {_line(error)}", advice)


def _vulkan() -> Check:
    from askmask.pantry.render.filament import vulkan_driver

    driver = vulkan_driver()
    if driver is not None and driver.is_file():
        return Check("Vulkan driver", "ok", str(driver))
    advice = "for rendering without a GPU, install Mesa's software driver (mesa-vulkan-drivers)"
    return Check("Vulkan driver", "absent", "none found", advice)


def _line(error: Exception) -> str:
    return " ".join(f"{error}".split()) or type(error).__name__


def _print(found: list[Check], healthy: bool) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(box=None, pad_edge=False, show_header=False)
    for check in found:
        advice = f"\n[yellow]{escape(check.advice)}[/yellow]" if check.advice else ""
        table.add_row(escape(check.name), _MARKS[check.status], escape(check.detail) + advice)
    console.print(table)
    verdict = "askmask can work" if healthy else "[red]askmask cannot work: see above[/red]"
    console.print(f"\n{verdict}")
