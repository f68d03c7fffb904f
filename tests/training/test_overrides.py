"""`--set` changes what it names and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from askmask.errors import ConfigError
from askmask.training.overrides import overridden


@dataclass(frozen=True)
class _Inner:
    rate: float = 0.1
    sizes: tuple[int, ...] = (1, 2)
    name: str = "a"


@dataclass(frozen=True)
class _Outer:
    inner: _Inner = field(default_factory=_Inner)
    count: int = 3
    fine: bool = True


def test_values_of_every_type_are_replaced_and_the_rest_stays() -> None:
    settings = ["inner.rate=2", "inner.sizes=[5]", "inner.name=b", "count = 4", "fine=false"]
    assert overridden(_Outer(), settings) == _Outer(_Inner(2.0, (5,), "b"), 4, False)
    assert overridden(_Outer(), []) == _Outer()


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("count", "expected KEY=VALUE, got 'count'"),
        ("cuont=1", "no setting 'cuont' in _Outer; did you mean count"),
        ("zzz=1", "there are inner, count, fine"),
        ("inner.rat=1", "no setting 'rat' in _Inner; did you mean rate"),
        ("count.more=1", "no setting 'more' in int"),
        ("count=1.5", "expected int, as 3; got '1.5'"),
        ("count=true", "expected int"),
        ("fine=1", "expected bool, as True"),
        ("inner=1", "expected a group of settings"),
    ],
)
def test_what_does_not_fit_is_named(setting: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        overridden(_Outer(), [setting])
