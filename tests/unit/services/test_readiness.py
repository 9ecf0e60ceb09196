"""What a caller is told: statuses, bodies, headers, and the ways in which a go is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from app.clocks import DataClock
from app.core.gate.decision import Decision, Reason, ReasonCode, Verdict
from app.core.gate.policy import Mode, parse_policy
from app.errors import NotFound
from app.services.answering import Answering
from app.services.asks import Asks, Question
from app.services.published import GateState, Published
from app.services.readiness import Readiness
from tests.support.memory import MemoryDecisionLog

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)
HELD = Reason(ReasonCode.BACKLOG_HIGH, "orders-voice: 14 waiting, limit 10", queue="orders-voice", binding=True)
STALE = Reason(ReasonCode.DATA_STALE, "orders-voice: backlog is 200 s old, limit 120 s", binding=True)


def a_decision(
    verdict: Verdict, *reasons: Reason, mode: Mode = Mode.ENFORCE, retry_in: float | None = None
) -> Decision:
    return Decision(
        verdict=verdict,
        at=NOW,
        since=NOW - timedelta(minutes=3),
        reasons=reasons,
        checks=(),
        mode=mode,
        data_as_of=NOW - timedelta(seconds=12),
        valid_until=NOW + timedelta(seconds=30),
        retry_at=None if retry_in is None else NOW + timedelta(seconds=retry_in),
        next_review_at=None,
    )


class World:
    """A gate in a given state, a clock, and the readiness service over both."""

    def __init__(self, decision: Decision, *, wave_limit: int | None = None, seq: int = 1) -> None:
        document = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}]}
        policy = parse_policy(document | ({"max_audience_per_wave": wave_limit} if wave_limit else {}))
        self.clock, self.stopwatch = DataClock(NOW), 100.0
        self.published = Published(seq, NOW, 100.0, None, {})  # type: ignore[arg-type]
        self.show(GateState("default", policy, 17, decision, decision), seq)
        self.log = MemoryDecisionLog()
        self.asks = Asks(self.log)
        answering = Answering(lambda: self.published, self.clock, lambda: self.stopwatch)
        self.readiness = Readiness(
            lambda: self.published, answering, self.asks, self.clock, monotonic=lambda: self.stopwatch
        )

    def show(self, state: GateState, seq: int) -> None:
        self.published = Published(seq, NOW, self.stopwatch, None, {state.gate: state})  # type: ignore[arg-type]

    def ask(self, audience=None, *, gate="default", accept_partial=False, asker="key1"):
        answer = self.readiness.answer(asker, Question(gate, audience, "spring", accept_partial))
        return answer.status, msgspec.json.decode(answer.body), dict(answer.headers)


def test_send_is_200_and_says_so_everywhere():
    status, body, headers = World(a_decision(Verdict.SEND)).ask(500_000)
    assert status == 200
    assert (body["decision"], body["proceed"], body["branchResult"]) == ("send", True, "send")
    assert (body["requested"], body["allow"], body["reasons"]) == (500_000, 500_000, [])
    assert (body["policy_version"], body["data_age_seconds"], body["campaign"]) == (17, 12.0, "spring")
    assert headers[b"holdfire-decision"] == b"send"
    assert headers[b"holdfire-decision-id"].decode() == body["decision_id"]
    assert headers[b"cache-control"] == b"no-store"
    assert b"retry-after" not in headers


def test_hold_is_429_with_the_reason_and_when_to_ask_again():
    status, body, headers = World(a_decision(Verdict.HOLD, HELD, retry_in=240.2)).ask(500_000)
    assert status == 429
    assert (body["decision"], body["proceed"], body["allow"]) == ("hold", False, 0)
    assert (body["retry_after_seconds"], headers[b"retry-after"]) == (241, b"241")
    assert body["retry_at"] == "2026-11-21T15:04:01Z"
    assert body["reasons"][0] | {"code": "backlog_high", "binding": True} == body["reasons"][0]
    assert headers[b"content-type"] == b"application/problem+json"
    assert {"type", "title", "status", "detail", "instance"} <= body.keys()


def test_unknown_is_503_and_reads_hold():
    status, body, headers = World(a_decision(Verdict.UNKNOWN, STALE)).ask()
    assert status == 503
    assert (body["decision"], body["proceed"], body["state"]) == ("hold", False, "unknown")
    assert body["reasons"][0]["code"].startswith("data_")
    assert int(headers[b"retry-after"]) >= 1


def test_more_than_a_wave_may_hold_is_throttled_and_only_a_go_for_who_takes_part_of_it():
    world = World(a_decision(Verdict.SEND), wave_limit=25_000)
    status, body, headers = world.ask(500_000)
    assert (status, body["decision"], body["proceed"], body["allow"]) == (429, "throttle", False, 25_000)
    assert b"retry-after" in headers
    status, body, _ = world.ask(500_000, accept_partial=True)
    assert (status, body["decision"], body["proceed"], body["allow"]) == (200, "throttle", True, 25_000)
    assert world.ask(25_000)[0] == 200


def test_shadow_mode_holds_nobody_but_says_what_it_would_have_done():
    status, body, _ = World(a_decision(Verdict.HOLD, HELD, mode=Mode.SHADOW)).ask(500_000)
    assert (status, body["decision"], body["proceed"]) == (200, "send", True)
    assert (body["mode"], body["would_decide"], body["allow"]) == ("shadow", "hold", 500_000)
    assert body["reasons"][0]["code"] == "backlog_high"


def test_shadow_mode_lets_nothing_go_that_a_person_has_stopped():
    by_hand = Reason(ReasonCode.OVERRIDE_HOLD, "held by Ann", binding=True)
    for reason in (by_hand, replace(by_hand, code=ReasonCode.CAMPAIGN_ENDED)):
        status, body, _ = World(a_decision(Verdict.HOLD, reason, mode=Mode.SHADOW)).ask(500_000)
        assert (status, body["decision"], body["proceed"], body["allow"]) == (429, "hold", False, 0)
        assert (body["mode"], body["would_decide"]) == ("shadow", None)


def test_a_late_evaluator_is_unknown_even_though_the_last_answer_was_a_kept_go():
    world = World(a_decision(Verdict.SEND))
    assert world.ask()[0] == 200
    world.stopwatch += 5.1
    status, body, _ = world.ask()
    assert (status, body["reasons"][0]["code"]) == (503, "data_evaluation_late")


def test_a_go_is_not_given_a_moment_after_it_stopped_being_valid():
    world = World(a_decision(Verdict.SEND))
    assert world.ask()[0] == 200
    world.clock.move_to(NOW + timedelta(seconds=30))
    assert world.ask()[0] == 503


def test_a_hold_does_not_become_unknown_only_because_it_is_old():
    world = World(a_decision(Verdict.HOLD, HELD, retry_in=60))
    world.clock.move_to(NOW + timedelta(seconds=31))
    assert world.ask()[0] == 429


def test_before_the_first_evaluation_every_gate_is_unknown():
    status, body, _ = World(a_decision(Verdict.SEND), seq=0).ask(gate="any")
    assert (status, body["reasons"][0]["code"]) == (503, "data_starting")


def test_an_unknown_gate_is_not_found_and_the_known_ones_are_named():
    with pytest.raises(NotFound, match=r"no gate 'other'; known: default"):
        World(a_decision(Verdict.SEND)).ask(gate="other")


async def test_the_same_answer_to_the_same_key_keeps_its_id_and_is_counted():
    world = World(a_decision(Verdict.SEND))
    first = world.ask(1000)[1]["decision_id"]
    world.show(world.published.gates["default"], seq=2)
    assert world.ask(1000)[1]["decision_id"] == first
    assert world.ask(1000, asker="key2")[1]["decision_id"] != first
    assert world.ask(2000)[1]["decision_id"] != first
    held = a_decision(Verdict.HOLD, HELD, retry_in=60)
    world.show(GateState("default", None, 17, held, held), seq=3)
    held = world.ask(1000)[1]["decision_id"]
    assert held != first
    await world.asks.write()
    rows = {row.id: row for row in await world.log.decisions(kind="asked")}
    assert (rows[first].count, rows[first].asked_by, rows[first].verdict) == (2, "key1", "send")
    assert (rows[held].count, rows[held].status, rows[held].requested) == (1, 429, 1000)
