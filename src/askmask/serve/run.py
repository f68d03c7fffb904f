"""Let a service listen, until it is told to stop."""

from __future__ import annotations

import json
import logging
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from askmask.errors import ConfigError
from askmask.serve.app import create_app
from askmask.serve.service import Service
from askmask.serve.visits import LOG

__all__ = ["make_server", "run"]

_KEEP_ALIVE_SECONDS = 15
_BACKLOG = 256


class _JsonLine(logging.Formatter):
    """What others say, as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        entry = {"level": record.levelname.lower(), "message": super().format(record)}
        return json.dumps(entry)


def _log(logger: logging.Logger, level: int, form: logging.Formatter) -> None:
    """Send a logger's lines to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(form)
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def run(
    service: Service, host: str, port: int, *, token: str | None = None, page: Path | None = None
) -> None:
    """Serve until SIGTERM or SIGINT: then what runs is finished, and nothing new is taken.

    Lines of JSON go to standard error: first the address, then one a request.

    Args:
        service: what answers.
        host: address to listen on.
        port: port, 0 for a free one.
        token: that requests must carry, or None.
        page: folder of static files below /page, or None.

    Raises:
        ConfigError: when the address cannot be listened on.
    """
    _log(LOG, logging.INFO, logging.Formatter("%(message)s"))
    _log(logging.getLogger("uvicorn"), logging.WARNING, _JsonLine())
    server, listener = make_server(service, host, port, token=token, page=page)
    service.warm_up()
    # uvicorn raises the signal again when it has stopped; stopping on request is no failure.
    signal.signal(signal.SIGTERM, lambda *_: None)
    host, port = listener.getsockname()[:2]
    LOG.info(json.dumps({"listening": host, "port": port, "model": service.model.model_id}))
    server.run([listener])


def make_server(
    service: Service, host: str, port: int, *, token: str | None = None, page: Path | None = None
) -> tuple[uvicorn.Server, socket.socket]:
    """Make a server and the socket it shall listen on; arguments and errors as of `run`."""
    app = create_app(service, token=token, page=page, draining=lambda: server.should_exit)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        loop="asyncio",
        http="h11",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        # Requests that were taken have as long as they would have otherwise.
        timeout_graceful_shutdown=int(service.limits.seconds) + 5,
    )
    server = uvicorn.Server(config)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"cannot listen on {host}:{port} ({error.strerror}): choose another --port, or stop "
            "what uses it"
        ) from None
    return server, listener
