"""The page in the browser: its files, and what they are allowed to do."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from fastapi.staticfiles import StaticFiles
from starlette.responses import Response
from starlette.types import Scope

__all__ = ["HEADERS", "PAGE", "PageFiles"]

PAGE = Path(__file__).with_name("page")
"""Folder of the page: plain modules and one style sheet, served as they are."""

HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
        "connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "cross-origin-opener-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-cache",  # asks whether a file has changed, so that no mix of versions runs
}
"""Nothing but the page's own files runs, and it speaks to its own server only."""

# Some systems know another type for scripts, or none, and browsers refuse modules of any other.
mimetypes.add_type("text/javascript", ".js")


class PageFiles(StaticFiles):
    """Static files with `HEADERS`."""

    def __init__(self, folder: Path) -> None:
        """Serve `folder`; a path that ends in / is its index.html."""
        super().__init__(directory=folder, html=True)

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Return a file, or raise 404."""
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response
