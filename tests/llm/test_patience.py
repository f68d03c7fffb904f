from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from askmask.errors import LLMError, RefusedError
from askmask.llm.patience import Broken, Busy, Patience, failure_of_status, seconds_of


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, RefusedError),
        (413, RefusedError),
        (429, Busy),
        (529, Busy),
        (500, Broken),
        (401, LLMError),
        (404, LLMError),
    ],
)
def test_statuses(status: int, kind: type[Exception]) -> None:
    failure = failure_of_status("server", status, "said\nso", "2", "KEY")
    assert type(failure) is kind
    assert f"server answered {status}: said so" in str(failure)
    assert getattr(failure, "retry_after", 2.0) == 2.0


def test_retry_after_is_seconds_or_a_date() -> None:
    assert seconds_of("1.5") == 1.5
    assert seconds_of(None) is seconds_of("soon") is None
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    assert seconds_of(later) == pytest.approx(60, abs=30)


def test_waits_as_long_as_the_server_says(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("askmask.llm.patience.time.sleep", slept.append)
    answers = iter([Busy("later", 7.0), Broken("cut"), Busy("later", 1e9), "done"])

    def ask() -> str:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert Patience().call(ask) == "done"
    assert slept[0] == 7.0
    assert 1.5 <= slept[1] <= 2.0
    assert slept[2] == 600.0


def test_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("askmask.llm.patience.time.sleep", lambda _: None)

    def ask() -> None:
        raise Busy("too many")

    with pytest.raises(LLMError, match="too many; gave up after 3 tries"):
        Patience(tries=3).call(ask)


def test_what_must_not_be_repeated_is_not() -> None:
    calls = []

    def ask() -> None:
        calls.append(1)
        raise Broken("lost")

    with pytest.raises(Broken):
        Patience().call(ask, repeats_broken=False)
    assert len(calls) == 1
