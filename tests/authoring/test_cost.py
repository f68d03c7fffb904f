from __future__ import annotations

import pytest
from toy_annotations import kitchen, picture

from askmask.authoring.cost import Budget, estimate, input_tokens, most
from askmask.authoring.prompt import instructions, message
from askmask.authoring.writer import Request
from askmask.llm.chat import Price, Usage

REQUEST = Request("key", picture(kitchen()), modal=5, amodal=5)
PRICE = Price(3, 15)


def test_prices_count_caches_and_discounts() -> None:
    usage = Usage(1_000_000, 100_000, cache_write_tokens=10_000, cache_read_tokens=1_000_000)
    assert PRICE.of(usage) == pytest.approx(3 + 1.5 + 0.06 + 0.3)
    assert Price(3, 15, discount=0.5).of(usage) == pytest.approx(PRICE.of(usage) / 2)


def test_an_estimate_adds_up() -> None:
    one, two = estimate([REQUEST], PRICE), estimate([REQUEST, REQUEST], PRICE)
    assert two.requests == 2
    assert two.input_tokens == 2 * one.input_tokens
    assert two.dollars == pytest.approx(2 * one.dollars)
    assert estimate([REQUEST], None).dollars is None
    assert estimate([], PRICE).dollars == 0


def test_an_expected_request_costs_less_than_the_most() -> None:
    expected = estimate([REQUEST], PRICE)
    assert 0 < expected.dollars < most(PRICE, REQUEST)
    assert input_tokens(REQUEST) > len(instructions()) / 5


def test_a_budget_sets_aside_the_most() -> None:
    dollars = most(PRICE, REQUEST)
    budget = Budget(PRICE, 1.5 * dollars)
    other = Request("other", REQUEST.picture, 5, 5)
    assert budget.reserve(REQUEST)
    assert not budget.reserve(other)
    budget.settle("key", Usage(100, 100))
    assert budget.spent == PRICE.of(Usage(100, 100))
    assert budget.reserve(other)
    budget.free("other")
    budget.doubt(other)
    assert budget.spent > dollars
    assert not budget.reserve(REQUEST)


def test_without_a_limit_all_is_allowed() -> None:
    assert Budget(PRICE, None).reserve(REQUEST)
    assert Budget(None, None).reserve(REQUEST)


def test_the_message_lists_what_a_writer_must_know() -> None:
    text = message(REQUEST.picture, 5, 5)
    assert "[1] cup; visible from (10, 40) to (40, 70); fully visible" in text
    assert "[2] person; visible from (5, 10) to (35, 60); 33 % hidden, by [1]" in text
    assert text.endswith("Write 5 modal and 5 amodal questions.")
    assert "no amodal ones" in message(REQUEST.picture, 5, 0)
