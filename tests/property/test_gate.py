"""What holds for the gate whatever the floor does."""

import copy
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import accumulate, pairwise
from math import inf, nan

from hypothesis import assume, given
from hypothesis import strategies as st

from app.core.floor.metric import DEFINITIONS, Metric, Worse
from app.core.gate.decide import decide
from app.core.gate.decision import CheckStatus, Decision, GateMemory, Verdict
from app.core.gate.policy import OnMissing, Policy, Rule, parse_policy
from tests.support.floors import NOON, StaticFloor, a_reading

STALE_AFTER = 60
JUDGED = (
    Metric.BACKLOG,
    Metric.OLDEST_WAIT_SECONDS,
    Metric.ABANDONMENT_RATIO,
    Metric.AGENTS_AVAILABLE,
    Metric.SPEED_TO_ANSWER_SECONDS,
    Metric.SERVICE_LEVEL_RATIO,
)
QUEUES = ("billing", "orders")

# One second on the floor: (queue, metric) -> level 0..9, higher is worse; None: not on the floor; NaN: no number.
Level = float | None
Second = dict[tuple[str, Metric], Level]

levels = st.integers(0, 9)
broken = st.sampled_from([None, nan, inf])


def seconds_of(level: st.SearchStrategy[Level], *, most: int = 15) -> st.SearchStrategy[list[Second]]:
    cells = st.fixed_dictionaries({(queue, metric): level for queue in QUEUES for metric in JUDGED})
    return st.lists(cells, min_size=1, max_size=most)


def value_of(metric: Metric, level: float) -> float:
    """Return a value of the metric for a level, which is worse the higher it is."""
    definition = DEFINITIONS[metric]
    good_first = level if definition.worse is Worse.HIGHER else 9 - level
    return good_first / 10 if definition.unit == "ratio" else good_first


@st.composite
def rules(draw: st.DrawFn, metric: Metric, on_missing: OnMissing | None = None) -> Rule:
    hold, resume = sorted(draw(st.tuples(levels, levels)), reverse=True)
    higher = DEFINITIONS[metric].worse is Worse.HIGHER
    limits = {
        "hold_above" if higher else "hold_below": value_of(metric, hold),
        "resume_below" if higher else "resume_above": value_of(metric, resume),
    }
    return Rule(
        metric,
        **limits,
        min_samples=draw(st.sampled_from([0, 5])) if DEFINITIONS[metric].windowed else 0,
        hold_for_seconds=draw(st.integers(0, 4)),
        resume_for_seconds=draw(st.integers(0, 6)),
        on_missing=on_missing or draw(st.sampled_from(list(OnMissing))),
    )


@st.composite
def policies(draw: st.DrawFn, on_missing: OnMissing | None = None) -> Policy:
    metrics = draw(st.lists(st.sampled_from(JUDGED), min_size=1, max_size=4, unique=True))
    found = tuple(draw(rules(metric, on_missing)) for metric in metrics)
    base = parse_policy({"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 1}]})
    return Policy(base.queues, base.time_zone, base.mode, STALE_AFTER, found)


def floor_of(second: Second, at: datetime, age_seconds: float = 0.0) -> StaticFloor:
    floor = StaticFloor(at)
    observed_at = at - timedelta(seconds=age_seconds)
    for (queue, metric), level in second.items():
        floor.add_queue(queue)
        if level is not None:
            floor.put(queue, a_reading(metric, value_of(metric, level), observed_at=observed_at, samples=5))
    return floor


def play(policy: Policy, seconds: Sequence[Second], memory: GateMemory | None = None) -> list[Decision]:
    """Return the decision of each second, on data of that second."""
    decisions, memory = [], memory or GateMemory()
    for count, second in enumerate(seconds):
        now = NOON + timedelta(seconds=count)
        decision, memory = decide(floor_of(second, now), policy, memory, now)
        decisions.append(decision)
    return decisions


def verdicts(decisions: Iterable[Decision]) -> list[Verdict]:
    return [decision.verdict for decision in decisions]


def changed(seconds: Sequence[Second], metric: Metric, by: Sequence[int]) -> list[Second]:
    """Return the seconds with the metric worse by so many levels, one number per second."""
    return [
        {
            key: min(9, level + more) if key[1] is metric and level is not None else level
            for key, level in second.items()
        }
        for second, more in zip(seconds, by, strict=True)
    ]


# --- monotony ---


@given(policies(), seconds_of(levels), st.sampled_from(JUDGED), st.data())
def test_worse_values_never_turn_a_hold_into_a_send(policy, seconds, metric, data):
    by = data.draw(st.lists(levels, min_size=len(seconds), max_size=len(seconds)))
    better, worse = play(policy, seconds), play(policy, changed(seconds, metric, by))
    assert all(
        good.verdict is Verdict.SEND for good, bad in zip(better, worse, strict=True) if bad.verdict is Verdict.SEND
    )


@given(policies(), seconds_of(levels))
def test_one_more_waiting_never_turns_a_hold_into_a_send(policy, seconds):
    with_one_more = changed(seconds, Metric.BACKLOG, [1] * len(seconds))
    for before, after in zip(play(policy, seconds), play(policy, with_one_more), strict=True):
        assert before.verdict is Verdict.SEND or after.verdict is not Verdict.SEND


@given(policies(), seconds_of(levels))
def test_one_more_available_agent_never_turns_a_send_into_a_hold(policy, seconds):
    with_one_less = changed(seconds, Metric.AGENTS_AVAILABLE, [1] * len(seconds))
    for more, less in zip(play(policy, seconds), play(policy, with_one_less), strict=True):
        assert more.verdict is Verdict.SEND or less.verdict is not Verdict.SEND


# --- data that cannot be trusted ---


@given(policies(), seconds_of(levels), seconds_of(levels, most=1), st.floats(STALE_AFTER, 1e7))
def test_stale_data_never_sends(policy, past, present, age_seconds):
    memory = GateMemory()
    for count, second in enumerate(past):
        now = NOON + timedelta(seconds=count)
        _, memory = decide(floor_of(second, now), policy, memory, now)
    now = NOON + timedelta(seconds=len(past))
    decision, _ = decide(floor_of(present[0], now, age_seconds), policy, memory, now)
    assert decision.verdict is Verdict.UNKNOWN


@given(policies(), seconds_of(levels | broken))
def test_what_is_missing_or_no_number_never_sends_unless_it_never_was_there_and_the_rule_ignores_that(policy, seconds):
    for second, decision in zip(seconds, play(policy, seconds), strict=True):
        if decision.verdict is not Verdict.SEND:
            continue
        for rule in policy.rules:
            for queue in QUEUES:
                level = second[queue, rule.metric]
                assert level in range(10) or (level is None and rule.on_missing is OnMissing.IGNORE)


@given(policies(), seconds_of(levels | broken), st.integers(1, 100), st.sampled_from([None, nan]), st.data())
def test_to_a_gate_that_holds_at_once_a_gap_is_as_if_time_had_stood_still(policy, seconds, gap_seconds, nothing, data):
    policy = replace(policy, rules=tuple(replace(rule, hold_for_seconds=0) for rule in policy.rules))
    cut = data.draw(st.integers(0, len(seconds)))
    decisions = play(policy, [*seconds[:cut], *a_gap(gap_seconds, nothing), *seconds[cut:]])
    during = decisions[cut : cut + gap_seconds]
    assert all(decision.verdict is Verdict.UNKNOWN for decision in during)
    assert verdicts(decisions[:cut] + decisions[cut + gap_seconds :]) == verdicts(play(policy, seconds))


@given(policies(), seconds_of(levels), st.integers(0, 100), st.sampled_from([None, nan]), seconds_of(levels))
def test_what_is_bad_when_data_comes_holds_at_once(policy, before, gap_seconds, nothing, after):
    decisions = play(policy, [*before, *a_gap(gap_seconds + 1, nothing), *after])
    first = decisions[len(before) + gap_seconds + 1]
    if any(check.margin is not None and check.margin < 0 for check in first.checks):
        assert first.verdict is Verdict.HOLD


def a_gap(seconds: int, nothing: float | None) -> list[Second]:
    return [dict.fromkeys(itertools.product(QUEUES, JUDGED), nothing)] * seconds


# --- explanations ---


@given(policies(), seconds_of(levels | broken))
def test_every_hold_and_unknown_has_one_binding_reason_and_it_comes_first(policy, seconds):
    for decision in play(policy, seconds):
        if decision.verdict is Verdict.SEND:
            assert decision.reasons == ()
        else:
            assert [reason.binding for reason in decision.reasons] == [True] + [False] * (len(decision.reasons) - 1)
            assert decision.reasons[0].code.startswith("data_") is (decision.verdict is Verdict.UNKNOWN)


@given(policies(), seconds_of(levels | broken))
def test_reasons_and_checks_agree(policy, seconds):
    for decision in play(policy, seconds):
        assert len(decision.checks) == len(policy.rules) * len(QUEUES)
        holding = {(c.metric, c.queue) for c in decision.checks if c.status in (CheckStatus.HOLDING, "recovering")}
        assert holding == {(r.metric, r.queue) for r in decision.reasons if not r.code.startswith("data_")}
        for reason in decision.reasons:
            if reason.op and reason.limit is not None and reason.observed is not None:
                meets = reason.observed <= reason.limit if reason.op == "<=" else reason.observed >= reason.limit
                assert meets is ("back within limits" in reason.message)


@given(policies(), seconds_of(levels | broken))
def test_the_instants_are_in_order(policy, seconds):
    for decision in play(policy, seconds):
        assert decision.since <= decision.at <= decision.valid_until <= decision.at + timedelta(seconds=30)
        assert decision.next_review_at is None or decision.next_review_at > decision.at
        assert (decision.retry_at is None) is (decision.verdict is Verdict.SEND)
        assert decision.retry_at is None or decision.retry_at > decision.at


# --- flapping ---


def backlog_policy(*, hold_for: int, resume_for: int) -> Policy:
    rule = {"metric": "backlog", "hold_above": 5, "resume_below": 3}
    timers = {"hold_for_seconds": hold_for, "resume_for_seconds": resume_for}
    return parse_policy({"queues": ["*"], "stale_after_seconds": STALE_AFTER, "rules": [{**rule, **timers}]})


def waiting(*levels: int) -> list[Second]:
    return [{("orders", Metric.BACKLOG): level} for level in levels]


@given(st.integers(0, 5), st.integers(2, 30), st.data())
def test_an_oscillation_faster_than_resume_for_changes_the_state_at_most_once(hold_for, resume_for, data):
    calm = data.draw(st.integers(1, resume_for - 1))
    busy = data.draw(st.integers(1, resume_for))
    start = data.draw(st.integers(0, calm + busy))
    wave = ([0] * calm + [9] * busy) * 8
    found = verdicts(play(backlog_policy(hold_for=hold_for, resume_for=resume_for), waiting(*wave[start:])))
    assert sum(before is not after for before, after in pairwise(found)) <= 1


@given(st.integers(0, 5), st.integers(1, 15), st.lists(st.integers(0, 9) | st.sampled_from([0, 9]), max_size=120))
def test_two_releases_are_never_closer_than_resume_for(hold_for, resume_for, wave):
    found = verdicts(play(backlog_policy(hold_for=hold_for, resume_for=resume_for), waiting(*wave)))
    releases = [second for second, (before, after) in enumerate(pairwise(found)) if (before, after) == ("hold", "send")]
    assert all(later - earlier >= resume_for for earlier, later in pairwise(releases))


# --- purity and time ---


@given(policies(), seconds_of(levels | broken), seconds_of(levels | broken, most=1))
def test_deciding_is_repeatable_and_changes_nothing_passed_in(policy, past, present):
    memory = GateMemory()
    for count, second in enumerate(past):
        now = NOON + timedelta(seconds=count)
        _, memory = decide(floor_of(second, now), policy, memory, now)
    now = NOON + timedelta(seconds=len(past))
    kept = copy.deepcopy(memory)
    floor = floor_of(present[0], now)
    first, second_time = decide(floor, policy, memory, now), decide(floor, policy, memory, now)
    assert first == second_time
    assert memory == kept


@given(policies(), seconds_of(levels))
def test_the_memory_is_the_same_object_when_looked_at_twice_in_an_instant(policy, seconds):
    memory = GateMemory()
    for count, second in enumerate(seconds):
        now = NOON + timedelta(seconds=count)
        floor = floor_of(second, now)
        _, memory = decide(floor, policy, memory, now)
        if all(kept.holding or kept.pending_since != now for kept in memory.rules.values()):
            assert decide(floor, policy, memory, now)[1] is memory


steps = st.lists(st.integers(1, 200), min_size=1, max_size=20)


def held_then_calm(offsets: Sequence[float], resume_for: int) -> list[Verdict]:
    """Return the verdicts at offsets in seconds after a hold began, all of them looks at fresh calm data."""
    policy = backlog_policy(hold_for=0, resume_for=resume_for)
    _, memory = decide(floor_of(waiting(9)[0], NOON), policy, GateMemory(), NOON)
    found = []
    for offset in offsets:
        now = NOON + timedelta(seconds=offset)
        decision, memory = decide(floor_of(waiting(0)[0], now), policy, memory, now)
        found.append(decision.verdict)
    return found


@given(steps, st.integers(1, 400), st.integers(1, 100_000), st.data())
def test_a_clock_that_goes_back_never_ends_a_hold_sooner(gaps, resume_for, back, data):
    offsets = list(accumulate(gaps))
    place = data.draw(st.integers(1, len(offsets)))
    steady = held_then_calm(offsets, resume_for)
    disturbed = held_then_calm([*offsets[:place], offsets[place - 1] - back, *offsets[place:]], resume_for)
    assume(steady[place - 1] is Verdict.HOLD)
    assert disturbed.pop(place) is Verdict.HOLD
    assert all(calm is Verdict.SEND for calm, back in zip(steady, disturbed, strict=True) if back is Verdict.SEND)


@given(st.lists(st.integers(-500, 500), min_size=1, max_size=20), st.integers(1, 300))
def test_no_clock_ends_a_hold_before_resume_for_was_looked_through(jumps, resume_for):
    offsets = list(accumulate(jumps))
    found = held_then_calm(offsets, resume_for)
    for count, verdict in enumerate(found, start=1):
        looked_at = sorted(set(offsets[:count]))
        covered = sum(later - earlier for earlier, later in pairwise(looked_at) if later - earlier <= STALE_AFTER)
        if verdict is Verdict.SEND:
            assert covered >= resume_for
            break
