"""The judge behind an API, against a local server that speaks both formats, faults included."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from fake_llm_server import FakeServer

from askmask.errors import ConfigError, LLMError, RefusedError
from askmask.llm.anthropic_api import AnthropicMessages
from askmask.llm.chat import Reply, Token
from askmask.llm.openai_server import OpenAIServer
from askmask.llm.patience import Patience
from askmask.models.api_judge import ApiJudge, read_verdict
from askmask.types import Candidates, Masks, MaskType, Query

IMAGE = np.full((60, 80, 3), 90, np.uint8)
KINDS = ("openai", "anthropic")


class Modal:
    """Takes every sentence for one that asks for visible parts."""

    def mask_types(self, texts: list[str]) -> list[dict[MaskType, float]]:
        return [{kind: float(kind is MaskType.MODAL) for kind in MaskType} for _ in texts]


@pytest.fixture
def server(llm_server: FakeServer) -> FakeServer:
    llm_server.writes = says({2: 9, 3: 6})
    return llm_server


def says(fits: dict[int, int], **more: str) -> Callable[[str], str]:
    entries = [{"number": number, "fit": fit} for number, fit in fits.items()]
    return lambda message: json.dumps({"rationale": "It is red.", **more, "candidates": entries})


def judge(kind: str, server: FakeServer, *, timeout: float = 5.0, **options: Any) -> ApiJudge:
    patience = Patience(tries=3, first_wait=0.01)
    if kind == "openai":
        asked: Any = OpenAIServer("tiny", server.url + "/v1", patience=patience, timeout=timeout)
    else:
        asked = AnthropicMessages("tiny", base_url=server.url, patience=patience, timeout=timeout)
    return ApiJudge(asked, typer=Modal(), **options)


def candidates(count: int = 4) -> Candidates:
    """Squares in a row, whose amodal masks reach one row further; the last is the surest."""
    modal, amodal = np.zeros((2, count, 60, 80), bool)
    for place in range(count):
        modal[place, 20:30, 20 * place : 20 * place + 10] = True
        amodal[place, 20:31, 20 * place : 20 * place + 10] = True
    score = np.linspace(0.5, 0.9, count, dtype=np.float32)
    return Candidates(Masks.from_dense(modal), Masks.from_dense(amodal), score)


def chosen(answer: Any) -> list[int]:
    """Places of the chosen squares, best first."""
    return [int(mask.any(0).argmax()) // 20 for mask in answer.modal]


def test_connections_are_closed_with_their_owner(server: FakeServer) -> None:
    asked = judge("anthropic", server)
    asked.select(IMAGE, candidates(), Query("the red ones"))
    client = asked._server._client
    assert not client.is_closed()
    del asked
    gc.collect()
    assert client.is_closed()


# The surest is shown as 1, so 2 and 3 are the squares in places 2 and 1.
@pytest.mark.parametrize("kind", KINDS)
def test_the_right_answer_comes_back(kind: str, server: FakeServer) -> None:
    asked = judge(kind, server)
    answer = asked.select(IMAGE, candidates(), Query("the red ones"))
    assert chosen(answer) == [2, 1]
    assert answer.scores.tolist() == pytest.approx([0.99, 6 / 9], abs=1e-6)
    assert answer.no_target_probability == pytest.approx(0.01)
    assert answer.rationale is not None
    assert answer.rationale.startswith("It is red.")
    assert answer.mask_type is MaskType.MODAL
    assert asked.usage.output_tokens == 100
    assert "the red ones" in json.dumps(server.bodies[0]["messages"])


@pytest.mark.parametrize("kind", KINDS)
def test_the_judge_reads_the_mask_type_when_asked(kind: str, server: FakeServer) -> None:
    server.writes = says({1: 9}, mask_type="amodal")
    asked = judge(kind, server, mask_type="asked")
    answer = asked.select(IMAGE, candidates(), Query("the whole red one"))
    assert answer.mask_type is MaskType.AMODAL
    assert answer.masks.areas.tolist() == [110]
    forced = asked.select(IMAGE, candidates(), Query("the whole red one", None, MaskType.HIDDEN))
    assert forced.masks.areas.tolist() == [10]


def test_nothing_fits(server: FakeServer) -> None:
    server.writes = says({})
    answer = judge("openai", server).select(IMAGE, candidates(), Query("the elephant"))
    assert len(answer) == 0
    assert answer.no_target_probability == pytest.approx(0.99)


def test_crops_and_references_are_shown(server: FakeServer) -> None:
    references = Masks.from_dense(np.ones((1, 60, 80), bool))
    judge("openai", server, crops=True).select(
        IMAGE, candidates(), Query("left of [1]", references)
    )
    *pictures, text = server.bodies[0]["messages"][1]["content"]
    assert len(pictures) == 1 + 4
    assert "[1] is outlined in white" in text["text"]


def test_only_the_surest_candidates_are_shown(server: FakeServer) -> None:
    server.writes = says({2: 9})
    answer = judge("openai", server, most=2).select(IMAGE, candidates(), Query("the red one"))
    assert chosen(answer) == [2]
    assert json.dumps(server.bodies[0]).count('"enum": [1, 2]') == 1


def test_without_candidates_nobody_is_asked(server: FakeServer) -> None:
    none = Masks.empty((60, 80))
    empty = Candidates(none, none, np.zeros(0, np.float32))
    answer = judge("openai", server).select(IMAGE, empty, Query("the red one"))
    assert (len(answer), answer.no_target_probability) == (0, 1.0)
    assert server.calls == []


def test_probabilities_of_digits_make_the_score_finer(server: FakeServer) -> None:
    server.odds = {"9": {"9": 0.5, "6": 0.25, "3": 0.2, "nine": 0.05}}
    answer = judge("openai", server).select(IMAGE, candidates(), Query("the red ones"))
    expected = (9 * 0.5 + 6 * 0.25 + 3 * 0.2) / 0.95 / 9
    assert answer.scores.tolist() == pytest.approx([expected, 6 / 9], abs=1e-6)


@pytest.mark.parametrize(
    ("kind", "lacks"),
    [
        ("openai", {"logprobs"}),
        ("openai", {"response_format"}),
        ("openai", {"logprobs", "response_format"}),
        ("anthropic", {"output_config"}),
    ],
)
def test_what_a_server_lacks_is_left_out(kind: str, lacks: set[str], server: FakeServer) -> None:
    server.lacks = lacks
    asked = judge(kind, server)
    assert chosen(asked.select(IMAGE, candidates(), Query("the red ones"))) == [2, 1]
    assert not lacks & set(server.bodies[-1])
    if kind == "openai":
        before = len(server.calls)
        asked.select(IMAGE, candidates(), Query("the red ones again"))
        assert len(server.calls) == before + 1, "it is not tried again"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("faults", [["429", "500"], ["truncated"], ["garbage"], ["prose"]])
def test_a_passing_fault_is_got_over(kind: str, faults: list[str], server: FakeServer) -> None:
    server.faults = list(faults)
    asked = judge(kind, server)
    assert chosen(asked.select(IMAGE, candidates(), Query("the red ones"))) == [2, 1]
    assert not server.faults
    assert asked.usage.output_tokens == (200 if faults == ["prose"] else 100)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "error", "message"),
    [
        ("500", LLMError, "answered 500: .*gave up after 3 tries: try again later"),
        ("slow", LLMError, "(timed out|timeout).*gave up after 3 tries"),
        ("prose", LLMError, "expected one JSON object, got 'The second one.', 3 times"),
        ("refusal", RefusedError, "/tiny declined to answer: I must not."),
        ("401", LLMError, "answered 401: .*set (OPENAI|ANTHROPIC)_API_KEY to a valid API key"),
    ],
)
def test_a_lasting_fault_is_told_in_one_line(
    kind: str, fault: str, error: type[Exception], message: str, server: FakeServer
) -> None:
    server.faults = [fault] * 3
    with pytest.raises(error, match=f"(?i){message}") as raised:
        judge(kind, server, timeout=0.1 if fault == "slow" else 5.0).select(
            IMAGE, candidates(), Query("the red ones")
        )
    assert "\n" not in str(raised.value)


def test_a_missing_key_names_its_variable(
    server: FakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    with pytest.raises(LLMError, match="ANTHROPIC_API_KEY"):
        judge("anthropic", server).select(IMAGE, candidates(), Query("the red ones"))


def test_options_are_checked(server: FakeServer) -> None:
    with pytest.raises(ConfigError, match="mask_type: expected embedded or asked, got 'guess'"):
        judge("openai", server, mask_type="guess")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "one JSON object"),
        ("[]", "one JSON object"),
        ('{"candidates": []}', "'rationale' and 'candidates'"),
        ('{"rationale": "r", "candidates": {}}', "'rationale' and 'candidates'"),
        ('{"rationale": "r", "candidates": [{"number": 4, "fit": 1}]}', "from 1 to 3"),
        ('{"rationale": "r", "candidates": [{"number": 0, "fit": 1}]}', "from 1 to 3"),
        ('{"rationale": "r", "candidates": [{"number": 1, "fit": 10}]}', "a digit"),
        ('{"rationale": "r", "candidates": [{"number": 1, "fit": 0.5}]}', "a digit"),
        ('{"rationale": "r", "candidates": [1]}', "a digit"),
        (
            '{"rationale": "r", "candidates": [{"number": 1, "fit": 1}, {"number": 1, "fit": 2}]}',
            "different numbers",
        ),
    ],
)
def test_answers_that_are_none(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_verdict(Reply(text), 3, asks_type=False)


def test_a_mask_type_that_is_none() -> None:
    text = '{"rationale": "r", "mask_type": "all", "candidates": []}'
    with pytest.raises(ValueError, match="modal, amodal or hidden"):
        read_verdict(Reply(text), 3, asks_type=True)


def test_an_answer_in_a_code_block() -> None:
    text = 'Sure:\n```json\n{"rationale": "r", "candidates": [{"fit": 3, "number": 2}]}\n```'
    assert read_verdict(Reply(text), 3, asks_type=False).fits == {2: pytest.approx(3 / 9)}


def test_digits_inside_longer_tokens_count_as_said() -> None:
    text = '{"rationale": "", "candidates": [{"number": 2, "fit": 3}]}'
    reply = Reply(text, tokens=(Token(text[:-4], {}), Token(text[-4:], {"9": 1.0})))
    assert read_verdict(reply, 3, asks_type=False).fits == {2: pytest.approx(3 / 9)}
