"""What a decision says besides its verdict: reasons in order, checks, and the instants that go with it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from app.core.floor.metric import DEFINITIONS, Metric
from app.core.gate.decide import decide
from app.core.gate.decision import CheckStatus, Decision, GateMemory, Reason, ReasonCode, RuleMemory, Verdict
from app.core.gate.policy import Policy, default_policy_document, parse_policy
from tests.support.floors import NOON, StaticFloor, a_reading, backlog_floor

SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def a_policy(*rules: Mapping[str, object], **members: object) -> Policy:
    return parse_policy({"queues": ["*"], "rules": list(rules) or [backlog_rule()], **members})


def backlog_rule(**members: object) -> dict[str, object]:
    return {"metric": "backlog", "hold_above": 10, "resume_below": 5, "resume_for_seconds": 300, **members}


def service_level_rule(**members: object) -> dict[str, object]:
    return {"metric": "service_level_ratio", "window_seconds": 900, "hold_below": 0.75, "resume_above": 0.85, **members}


OPEN = GateMemory(Verdict.SEND, NOON)


def decided(floor: StaticFloor, policy: Policy | None = None, memory: GateMemory | None = None) -> Decision:
    return decide(floor, policy or a_policy(), memory or GateMemory(), floor.at)[0]


def only(reasons: tuple[Reason, ...]) -> Reason:
    assert len(reasons) == 1
    return reasons[0]


# --- verdicts that need no hysteresis ---


def test_within_limits_sends_without_reasons():
    decision = decided(backlog_floor(3))
    assert (decision.verdict, decision.reasons, decision.retry_at) == (Verdict.SEND, (), None)


def test_without_a_policy_it_is_unknown():
    decision, memory = decide(backlog_floor(3), None, GateMemory(), NOON)
    assert decision.verdict is Verdict.UNKNOWN
    assert only(decision.reasons).code is ReasonCode.DATA_NO_POLICY
    assert decision.checks == ()
    assert memory == GateMemory(Verdict.UNKNOWN, NOON)


def test_an_empty_floor_is_unknown():
    reason = only(decided(StaticFloor()).reasons)
    assert (reason.code, reason.message) == (ReasonCode.DATA_NO_QUEUES, "no queue on the floor matches '*'")


def test_each_pattern_must_find_a_queue():
    decision = decided(backlog_floor(3), a_policy(queues=["orders", "billing-*"]))
    assert decision.verdict is Verdict.UNKNOWN
    assert only(decision.reasons).message == "no queue on the floor matches 'billing-*'"


@pytest.mark.parametrize(
    ("pattern", "verdict"),
    [("orders", "send"), ("o*", "send"), ("Orders", "unknown"), ("order", "unknown"), ("[n-p]rders", "send")],
)
def test_patterns_are_globs_of_the_whole_name_and_mind_case(pattern: str, verdict: str):
    assert decided(backlog_floor(3), a_policy(queues=[pattern])).verdict == verdict


def test_a_queue_that_no_pattern_matches_does_not_count():
    floor = backlog_floor(3).put("billing", a_reading(Metric.BACKLOG, 99))
    assert decided(floor, a_policy(queues=["orders"])).verdict is Verdict.SEND


def test_a_metric_never_reported_is_ignored_where_the_rule_says_so():
    decision = decided(backlog_floor(3), a_policy(backlog_rule(), service_level_rule(on_missing="ignore")))
    assert decision.verdict is Verdict.SEND
    assert [check.status for check in decision.checks] == [CheckStatus.PASS, CheckStatus.IGNORED]


def test_ignoring_everything_is_no_ground_to_send():
    decision = decided(backlog_floor(3), a_policy(service_level_rule(on_missing="ignore")))
    assert decision.verdict is Verdict.UNKNOWN
    assert only(decision.reasons).code is ReasonCode.DATA_MISSING


def test_a_metric_that_vanishes_while_it_holds_is_missing_even_for_a_rule_that_ignores():
    policy = a_policy(backlog_rule(on_missing="ignore"))
    _, memory = decide(backlog_floor(20), policy, GateMemory(), NOON)
    decision, _ = decide(backlog_floor(None), policy, memory, NOON + SECOND)
    assert decision.verdict is Verdict.UNKNOWN
    assert only(decision.reasons).message == "orders: backlog is not reported any more"


@pytest.mark.parametrize(
    ("value", "samples", "status", "verdict"),
    [
        pytest.param(0.5, 9, CheckStatus.TOO_FEW, "send", id="fewer than min_samples never trips"),
        pytest.param(0.5, 10, CheckStatus.HOLDING, "hold", id="min_samples is enough"),
        pytest.param(0.5, None, CheckStatus.HOLDING, "hold", id="a ready-made ratio without counts is judged"),
        pytest.param(None, 0, CheckStatus.TOO_FEW, "send", id="nothing to compute from is too few"),
        pytest.param(None, None, CheckStatus.MISSING, "unknown", id="no value and no count is missing"),
        pytest.param(None, 12, CheckStatus.MISSING, "unknown", id="contacts and no value is missing"),
        pytest.param(float("nan"), 12, CheckStatus.MISSING, "unknown", id="NaN"),
        pytest.param(float("-inf"), 12, CheckStatus.MISSING, "unknown", id="minus infinity"),
        pytest.param(float("inf"), 12, CheckStatus.MISSING, "unknown", id="infinity"),
    ],
)
def test_what_a_windowed_value_is_worth(value: float | None, samples: int | None, status: CheckStatus, verdict: str):
    floor = StaticFloor().put("orders", a_reading(Metric.SERVICE_LEVEL_RATIO, value, samples=samples))
    decision = decided(floor, a_policy(service_level_rule(min_samples=10)))
    assert (decision.verdict, decision.checks[0].status) == (verdict, status)


@pytest.mark.parametrize(
    ("age_seconds", "verdict", "code"),
    [
        pytest.param(119.9, "send", None, id="just fresh"),
        pytest.param(120, "unknown", ReasonCode.DATA_STALE, id="stale from stale_after on"),
        pytest.param(-300, "send", None, id="a clock that runs ahead as far as ingest allows"),
        pytest.param(-300.1, "unknown", ReasonCode.DATA_MISSING, id="a reading from the future"),
    ],
)
def test_age_by_the_sources_time(age_seconds: float, verdict: str, code: ReasonCode | None):
    decision = decided(backlog_floor(3, age_seconds=age_seconds))
    assert decision.verdict == verdict
    assert [reason.code for reason in decision.reasons] == ([code] if code else [])


def test_a_floor_dated_in_the_future_does_not_send_when_the_clock_was_set_back():
    floor = backlog_floor(3)
    _, memory = decide(floor, a_policy(), GateMemory(), NOON)
    decision, _ = decide(floor, a_policy(), memory, NOON - timedelta(hours=1))
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.since <= decision.at


def test_what_is_known_to_be_bad_outweighs_what_is_not_known():
    floor = backlog_floor(20).add_queue("billing")
    decision = decided(floor)
    assert decision.verdict is Verdict.HOLD
    assert [r.code for r in decision.reasons] == [ReasonCode.BACKLOG_HIGH, ReasonCode.DATA_MISSING]


# --- reasons ---


def test_a_reason_names_value_limit_and_times():
    floor = StaticFloor().put(
        "orders-voice", a_reading(Metric.SPEED_TO_ANSWER_SECONDS, 71.0, window_seconds=300, samples=40)
    )
    rule = {"metric": "speed_to_answer_seconds", "hold_above": 60, "window_seconds": 300}
    assert only(decided(floor, a_policy(rule)).reasons) == Reason(
        ReasonCode.SPEED_TO_ANSWER_HIGH,
        "orders-voice: speed to answer 71 s over 5 min, limit 60 s",
        metric=Metric.SPEED_TO_ANSWER_SECONDS,
        queue="orders-voice",
        observed=71.0,
        op="<=",
        limit=60.0,
        unit="seconds",
        window_seconds=300,
        as_of=NOON,
        since=NOON,
        binding=True,
    )


@pytest.mark.parametrize("metric", list(Metric))
def test_each_metric_has_its_own_reason_and_a_sentence(metric: Metric):
    lower = DEFINITIONS[metric].worse == "lower"
    rule = {"metric": metric.value, ("hold_below" if lower else "hold_above"): 0.5}
    reason = only(
        decided(StaticFloor().put("orders", a_reading(metric, 0.4 if lower else 0.6)), a_policy(rule)).reasons
    )
    assert reason.code.value.startswith(metric.value.removesuffix("_seconds").removesuffix("_ratio"))
    assert reason.code.value.endswith("_low" if lower else "_high")
    assert reason.message.startswith("orders: ")
    assert ", limit " in reason.message


def test_a_recovering_rule_says_when_it_releases_in_the_policys_zone():
    policy = a_policy(backlog_rule(resume_for_seconds=320), time_zone="America/Chicago")
    _, memory = decide(backlog_floor(20), policy, GateMemory(), NOON)
    decision, _ = decide(backlog_floor(3, at=NOON + MINUTE), policy, memory, NOON + MINUTE)
    reason = only(decision.reasons)
    assert reason.message == "orders: 3 waiting, back within limits, releasing at 06:07 if it stays so"
    assert (reason.observed, reason.op, reason.limit, reason.since) == (3, "<=", 5, NOON)
    assert decision.retry_at == NOON + MINUTE + timedelta(seconds=320) == decision.checks[0].clears_at
    assert decision.checks[0].status is CheckStatus.RECOVERING


def test_between_the_limits_the_resume_limit_is_the_one_to_meet():
    _, memory = decide(backlog_floor(20), a_policy(), GateMemory(), NOON)
    reason = only(decided(backlog_floor(7), memory=memory).reasons)
    assert (reason.message, reason.limit) == ("orders: 7 waiting, resumes at 5 or less", 5)


def test_too_few_contacts_recover_a_hold():
    policy = a_policy(service_level_rule(min_samples=10, resume_for_seconds=60))
    busy = StaticFloor().put("orders", a_reading(Metric.SERVICE_LEVEL_RATIO, 0.5, samples=40))
    quiet = StaticFloor().put("orders", a_reading(Metric.SERVICE_LEVEL_RATIO, None, samples=0))
    _, memory = decide(busy, policy, GateMemory(), NOON)
    decision, _ = decide(quiet, policy, memory, NOON)
    assert decision.checks[0].status is CheckStatus.RECOVERING
    assert only(decision.reasons).message == (
        "orders: service level over 0 contacts is not judged, it takes 10, releasing at 12:01 if it stays so"
    )


def test_reasons_come_by_trust_then_by_relative_excess_then_by_name():
    floor = StaticFloor()
    for queue, waiting in (("a", 11), ("b", 40), ("c", 11)):
        floor.put(queue, a_reading(Metric.BACKLOG, waiting), a_reading(Metric.SERVICE_LEVEL_RATIO, 0.0))
    reasons = decided(floor, a_policy(service_level_rule(), backlog_rule())).reasons
    assert [(r.metric, r.queue) for r in reasons] == [
        (Metric.BACKLOG, "b"),
        (Metric.BACKLOG, "a"),
        (Metric.BACKLOG, "c"),
        (Metric.SERVICE_LEVEL_RATIO, "a"),
        (Metric.SERVICE_LEVEL_RATIO, "b"),
        (Metric.SERVICE_LEVEL_RATIO, "c"),
    ]
    assert [r.binding for r in reasons] == [True] + [False] * 5


def test_a_rule_still_out_of_limits_binds_before_one_that_recovers():
    policy = a_policy(backlog_rule(), service_level_rule())
    floor = backlog_floor(20).put("orders", a_reading(Metric.SERVICE_LEVEL_RATIO, 0.5))
    _, memory = decide(floor, policy, GateMemory(), NOON)
    floor.put("orders", a_reading(Metric.BACKLOG, 0))
    assert [r.metric for r in decided(floor, policy, memory).reasons] == [Metric.SERVICE_LEVEL_RATIO, Metric.BACKLOG]


def test_data_reasons_come_by_pattern_then_trust_then_missing_before_stale():
    floor = StaticFloor().put("a", a_reading(Metric.BACKLOG, 1, observed_at=NOON - 5 * MINUTE)).add_queue("b")
    reasons = decided(floor, a_policy(service_level_rule(), backlog_rule(), queues=["*", "z"])).reasons
    assert [(r.code, r.metric, r.queue) for r in reasons] == [
        (ReasonCode.DATA_NO_QUEUES, None, None),
        (ReasonCode.DATA_MISSING, Metric.BACKLOG, "b"),
        (ReasonCode.DATA_STALE, Metric.BACKLOG, "a"),
        (ReasonCode.DATA_MISSING, Metric.SERVICE_LEVEL_RATIO, "a"),
        (ReasonCode.DATA_MISSING, Metric.SERVICE_LEVEL_RATIO, "b"),
    ]
    assert reasons[2].message == "a: backlog from acd-1 is 5 min old, limit 2 min"
    assert reasons[1].message == "b: backlog was never reported"


@pytest.mark.parametrize(
    ("reading", "message"),
    [
        (
            a_reading(value=3, observed_at=NOON + timedelta(minutes=6)),
            "orders: backlog from acd-1 is dated 360 s in the future",
        ),
        (a_reading(value=float("nan")), "orders: backlog from acd-1 has no value that can be used"),
    ],
)
def test_data_that_cannot_be_trusted_says_why(reading, message: str):
    reason = only(decided(StaticFloor().put("orders", reading)).reasons)
    assert reason.message == message
    assert reason.observed in (3, None)


# --- checks ---


def test_checks_are_rules_by_queue_then_the_window_then_the_outlook():
    policy = a_policy(
        backlog_rule(hold_for_seconds=30),
        service_level_rule(),
        send_windows=[{"days": ["mon"], "from": "09:00", "to": "18:00"}],
        outlook={},
        briefing="required",
    )
    floor = backlog_floor(20).put(
        "orders", a_reading(Metric.SERVICE_LEVEL_RATIO, 0.9, window_seconds=900, samples=50), window_seconds=900
    )
    checks = decided(floor, policy, OPEN).checks
    assert [(c.metric, c.queue, c.status) for c in checks] == [
        (Metric.BACKLOG, "orders", CheckStatus.PENDING),
        (Metric.SERVICE_LEVEL_RATIO, "orders", CheckStatus.PASS),
        (None, None, CheckStatus.PASS),
        (None, None, CheckStatus.MISSING),
    ]
    backlog, service_level, window, outlook = checks
    assert (backlog.value, backlog.op, backlog.limit, backlog.resume_limit, backlog.margin) == (20, "<=", 10, 5, -10)
    assert (backlog.since, backlog.detail) == (NOON, "past the limit, holding at 12:01")
    assert (service_level.op, service_level.window_seconds, service_level.samples) == (">=", 900, 50)
    assert service_level.margin == pytest.approx(0.15)
    assert window.detail == "inside the send windows until 18:00 (UTC)"
    assert outlook.detail == "there is no outlook for this policy yet"


def test_a_check_shows_no_number_that_is_none():
    check = decided(StaticFloor().put("orders", a_reading(value=float("nan")))).checks[0]
    assert (check.status, check.value, check.margin) == (CheckStatus.MISSING, None, None)


# --- the instants ---


def test_since_is_when_the_verdict_began():
    first, memory = decide(backlog_floor(3), a_policy(), GateMemory(), NOON)
    later, _ = decide(backlog_floor(3), a_policy(), memory, NOON + MINUTE)
    assert first.since == later.since == NOON


def test_since_is_never_later_than_at_when_the_clock_was_set_back():
    floor = backlog_floor(3)
    _, memory = decide(floor, a_policy(), GateMemory(), NOON)
    decision, _ = decide(floor, a_policy(), memory, NOON - MINUTE)
    assert (decision.verdict, decision.since) == (Verdict.SEND, NOON - MINUTE)


def test_data_as_of_is_the_oldest_of_the_newest():
    floor = backlog_floor(3, age_seconds=40).put("billing", a_reading(value=1, observed_at=NOON - 90 * SECOND))
    assert decided(floor).data_as_of == NOON - 90 * SECOND


def test_data_as_of_counts_stale_data_and_not_what_cannot_be_trusted():
    floor = backlog_floor(3, age_seconds=500).put("billing", a_reading(value=1, observed_at=NOON + 10 * MINUTE))
    assert decided(floor).data_as_of == NOON - 500 * SECOND
    assert decided(StaticFloor().add_queue("orders")).data_as_of is None


@pytest.mark.parametrize(
    ("age_seconds", "valid_seconds"),
    [
        pytest.param(0, 30, id="half a minute"),
        pytest.param(100, 20, id="until the data is stale"),
        pytest.param(500, 30, id="stale data does not end an unknown"),
    ],
)
def test_how_long_an_answer_may_be_used(age_seconds: float, valid_seconds: float):
    assert decided(backlog_floor(3, age_seconds=age_seconds)).valid_until == NOON + valid_seconds * SECOND


def test_an_answer_ends_with_its_send_window():
    at = datetime(2026, 11, 23, 17, 59, 50, tzinfo=UTC)
    policy = a_policy(send_windows=[{"days": ["mon"], "from": "09:00", "to": "18:00"}])
    decision = decided(backlog_floor(3, at=at), policy)
    assert decision.valid_until == decision.next_review_at == at + 10 * SECOND


def test_outside_the_send_windows_it_holds_until_the_next_opening():
    at = datetime(2026, 11, 23, 18, tzinfo=UTC)
    policy = a_policy(send_windows=[{"days": ["mon", "tue"], "from": "09:00", "to": "18:00"}])
    decision = decided(backlog_floor(3, at=at), policy)
    opening = datetime(2026, 11, 24, 9, tzinfo=UTC)
    assert (decision.verdict, decision.retry_at) == (Verdict.HOLD, opening)
    reason = only(decision.reasons)
    assert (reason.code, reason.binding) == (ReasonCode.OUTSIDE_SEND_WINDOW, True)
    assert reason.message == "outside the send windows, the next one opens at Tue 2026-11-24 09:00 (UTC)"
    assert (decision.checks[-1].status, decision.checks[-1].clears_at) == (CheckStatus.HOLDING, opening)


def test_outside_the_send_windows_it_holds_even_without_data_and_tells_of_both():
    at = datetime(2026, 11, 23, 18, tzinfo=UTC)
    policy = a_policy(send_windows=[{"days": ["mon"], "from": "09:00", "to": "18:00"}])
    decision = decided(StaticFloor(at).add_queue("orders"), policy)
    assert decision.verdict is Verdict.HOLD
    assert [r.code for r in decision.reasons] == [ReasonCode.OUTSIDE_SEND_WINDOW, ReasonCode.DATA_MISSING]


def test_retry_is_when_every_rule_could_have_released():
    assert decided(backlog_floor(20)).retry_at == NOON + 300 * SECOND
    assert decided(backlog_floor(20), a_policy(backlog_rule(resume_for_seconds=0))).retry_at == NOON + 10 * SECOND
    assert decided(backlog_floor(None)).retry_at == NOON + 30 * SECOND


def test_retry_after_a_gap_in_a_hold_counts_what_the_timer_still_needs():
    policy, memory = a_policy(), GateMemory()
    _, memory = decide(backlog_floor(20), policy, memory, NOON)
    _, memory = decide(backlog_floor(3), policy, memory, NOON)
    _, memory = decide(backlog_floor(3), policy, memory, NOON + 100 * SECOND)
    _, memory = decide(backlog_floor(None), policy, memory, NOON + 200 * SECOND)
    decision, _ = decide(backlog_floor(None), policy, memory, NOON + 250 * SECOND)
    assert decision.verdict is Verdict.UNKNOWN
    assert decision.retry_at == NOON + 250 * SECOND + 100 * SECOND
    assert decision.next_review_at is None


def test_next_review_is_the_first_change_that_time_alone_can_bring():
    assert decided(backlog_floor(3)).next_review_at == NOON + 120 * SECOND
    assert (
        decided(backlog_floor(20), a_policy(backlog_rule(hold_for_seconds=30)), OPEN).next_review_at
        == NOON + 30 * SECOND
    )
    assert decided(backlog_floor(None)).next_review_at is None


# --- memory ---


def test_nothing_moved_gives_the_same_memory_object():
    for waiting in (3, 20):
        _, first = decide(backlog_floor(waiting), a_policy(), GateMemory(), NOON)
        _, second = decide(backlog_floor(waiting), a_policy(), first, NOON + SECOND)
        assert second is first


def test_memory_of_a_rule_or_queue_that_is_gone_is_dropped():
    floor = backlog_floor(20).put("billing", a_reading(value=20))
    _, memory = decide(floor, a_policy(), GateMemory(), NOON)
    assert memory.rules.keys() == {("backlog", "orders"), ("backlog", "billing")}
    _, memory = decide(backlog_floor(20), a_policy(), memory, NOON)
    assert memory.rules.keys() == {("backlog", "orders")}
    floor = backlog_floor(20).put("orders", a_reading(Metric.SERVICE_LEVEL_RATIO, 0.9))
    decision, memory = decide(floor, a_policy(service_level_rule()), memory, NOON)
    assert (decision.verdict, memory.rules) == (Verdict.SEND, {})


def test_memory_outlives_a_floor_that_is_still_empty_and_a_policy_that_is_not_there():
    _, held = decide(backlog_floor(20), a_policy(), GateMemory(), NOON)
    _, memory = decide(StaticFloor(), a_policy(), held, NOON + SECOND)
    _, memory = decide(backlog_floor(3), None, memory, NOON + 2 * SECOND)
    decision, _ = decide(backlog_floor(3), a_policy(), memory, NOON + 3 * SECOND)
    assert decision.verdict is Verdict.HOLD


def test_a_changed_limit_keeps_the_hold_and_its_timer():
    _, memory = decide(backlog_floor(20), a_policy(), GateMemory(), NOON)
    decision, _ = decide(
        backlog_floor(20), a_policy(backlog_rule(hold_above=50, resume_below=30)), memory, NOON + SECOND
    )
    assert decision.checks[0].status is CheckStatus.RECOVERING


# --- clocks and gaps between looks ---


def looks(*steps: tuple[float, float]) -> str:
    """Return the states of looks at (seconds after noon, waiting), each on fresh data; resume_for is 300 s."""
    memory, states = GateMemory(), []
    for seconds, waiting in steps:
        now = NOON + timedelta(seconds=seconds)
        decision, memory = decide(backlog_floor(waiting, at=now), a_policy(), memory, now)
        states.append(decision.verdict.value)
    return " ".join(states)


@pytest.mark.parametrize(
    ("steps", "states"),
    [
        pytest.param([(0, 20), (1, 3), (101, 3), (201, 3), (301, 3)], "hold hold hold hold send", id="steady looks"),
        pytest.param([(0, 20), (1, 3), (301, 3)], "hold hold hold", id="two looks too far apart do not count"),
        pytest.param([(0, 20), (1, 3), (86_401, 3)], "hold hold hold", id="nor do they after a day of sleep"),
        pytest.param(
            [(0, 20), (1, 3), (101, 3), (51, 3), (151, 3), (251, 3), (301, 3)],
            "hold hold hold hold hold hold send",
            id="set back a little: what was counted is not counted again",
        ),
        pytest.param(
            [(0, 20), (1, 3), (101, 3), (-3600, 3), (-3500, 3), (-3400, 3), (-3301, 3), (-3300, 3)],
            "hold hold hold hold hold hold hold send",
            id="set back far: the timer starts anew",
        ),
        pytest.param(
            [(0, 20), (1, 3), (101, 3), (3701, 3), (102, 3), (202, 3), (302, 3), (402, 3)],
            "hold hold hold hold hold hold hold send",
            id="set forward and back again: the timer starts anew",
        ),
    ],
)
def test_neither_a_sleep_nor_a_clock_ends_a_hold_early(steps: list[tuple[float, float]], states: str):
    assert looks(*steps) == states


def test_a_sleep_that_ends_in_silence_does_not_count_either():
    policy, memory = a_policy(), GateMemory()
    for seconds, waiting in ((0, 20), (1, 3), (1000, None), (1001, 3)):
        now = NOON + seconds * SECOND
        decision, memory = decide(backlog_floor(waiting, at=now), policy, memory, now)
    assert decision.verdict is Verdict.HOLD


def test_looks_a_few_seconds_apart_count_however_short_stale_after_is():
    policy, memory = a_policy(backlog_rule(resume_for_seconds=10), stale_after_seconds=1), GateMemory()
    for seconds, waiting in ((0, 20), (5, 3), (10, 3), (15, 3)):
        now = NOON + seconds * SECOND
        decision, memory = decide(backlog_floor(waiting, at=now), policy, memory, now)
    assert decision.verdict is Verdict.SEND


def test_a_memory_without_its_last_look_starts_the_timer_anew():
    memory = GateMemory(
        Verdict.HOLD, NOON, {("backlog", "orders"): RuleMemory(True, NOON, pending_since=NOON - timedelta(hours=1))}
    )
    decision, after = decide(backlog_floor(3), a_policy(), memory, NOON)
    assert decision.verdict is Verdict.HOLD
    assert after.rules["backlog", "orders"].pending_since == NOON


def test_the_default_policy_judges_a_source_that_reports_only_its_backlog():
    policy = parse_policy(default_policy_document())
    assert decided(backlog_floor(3), policy).verdict is Verdict.SEND
    assert decided(StaticFloor().put("orders", a_reading(Metric.OLDEST_WAIT_SECONDS, 0)), policy).verdict == "unknown"
