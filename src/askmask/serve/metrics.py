"""What a server counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

__all__ = ["Metrics"]

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters of one server, apart from those of any other in the same process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._requests = Counter(
            "askmask_requests",
            "Requests that were answered or refused.",
            ("method", "route", "status"),
            registry=self._registry,
        )
        self._request_seconds = Histogram(
            "askmask_request_seconds",
            "Time from the first byte of a request to the last one of its response.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._refusals = Counter(
            "askmask_refusals", "Refused requests.", ("code",), registry=self._registry
        )
        self._model_seconds = Histogram(
            "askmask_model_seconds",
            "Time of the model's steps.",
            ("step",),
            buckets=_SECONDS,
            registry=self._registry,
        )

    def gauge(self, name: str, help: str, value: Callable[[], float]) -> None:
        """Show a number that is looked up when it is asked for."""
        Gauge(name, help, registry=self._registry).set_function(value)

    def request(
        self, method: str, route: str, status: int, seconds: float, refused: str | None
    ) -> None:
        """Count a request.

        Args:
            method: HTTP method.
            route: its template, e.g. "/v1/images/{image_id}/answers".
            status: HTTP status.
            seconds: from its first byte to the last one of the response.
            refused: code of the refusal, or None.
        """
        self._requests.labels(method, route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)
        if refused is not None:
            self._refusals.labels(refused).inc()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time a step of the model: "encode" or "answer"."""
        start = perf_counter()
        try:
            yield
        finally:
            self._model_seconds.labels(name).observe(perf_counter() - start)

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
