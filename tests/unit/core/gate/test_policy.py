"""What a policy document may say, and how each fault is told."""

import copy
from datetime import time
from typing import Any

import pytest

from app.core.campaign.campaign import TrafficClass
from app.core.floor.metric import DEFINITIONS, Metric
from app.core.forecast.limits import OutlookLimits
from app.core.gate.policy import (
    Mode,
    OnMissing,
    PolicyRefused,
    Rule,
    SendWindow,
    default_policy_document,
    parse_policy,
)

Document = dict[str, Any]

CONTRACT_EXAMPLE: Document = {
    "queues": ["orders-*"],
    "time_zone": "America/Chicago",
    "mode": "enforce",
    "stale_after_seconds": 120,
    "rules": [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5, "hold_for_seconds": 30, "resume_for_seconds": 300},
        {
            "metric": "service_level_ratio",
            "window_seconds": 900,
            "hold_below": 0.75,
            "resume_above": 0.85,
            "min_samples": 10,
        },
    ],
    "outlook": {
        "service_level_ratio": 0.80,
        "service_level_seconds": 20,
        "speed_to_answer_seconds": 30,
        "max_breach_probability": 0.10,
        "horizon_minutes": 180,
    },
    "send_windows": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "18:00"}],
    "notice_minutes": 240,
    "briefing": "required",
}


def a_document(**members: object) -> Document:
    return {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}], **members}


def a_rule(**members: object) -> Document:
    return a_document(rules=[members])


def a_window(**members: object) -> Document:
    return a_document(send_windows=[{"days": ["mon"], "from": "09:00", "to": "18:00", **members}])


def faults(document: object) -> dict[str, str]:
    """Return the sentences of a refusal by pointer; a test that gets none fails."""
    with pytest.raises(PolicyRefused) as refused:
        parse_policy(document)  # type: ignore[arg-type]
    return {problem.pointer: problem.detail for problem in refused.value.problems}


def test_the_contracts_example():
    policy = parse_policy(CONTRACT_EXAMPLE)
    assert policy.queues == ("orders-*",)
    assert policy.rules == (
        Rule(Metric.BACKLOG, hold_above=10, resume_below=5, hold_for_seconds=30, resume_for_seconds=300),
        Rule(Metric.SERVICE_LEVEL_RATIO, hold_below=0.75, resume_above=0.85, window_seconds=900, min_samples=10),
    )
    assert policy.send_windows == (SendWindow(frozenset(range(5)), time(9), time(18)),)
    assert (policy.notice_minutes, policy.briefing_required) == (240, True)
    assert policy.outlook == OutlookLimits(service_level_ratio=0.80, speed_to_answer_seconds=30)
    assert policy.document == CONTRACT_EXAMPLE


def test_absent_members_have_defaults():
    policy = parse_policy(a_document())
    assert (policy.time_zone, policy.mode, policy.stale_after_seconds) == ("UTC", Mode.ENFORCE, 120)
    assert (policy.send_windows, policy.max_audience_per_wave, policy.outlook) == ((), None, None)
    assert policy.rules == (Rule(Metric.BACKLOG, hold_above=10, resume_below=10, on_missing=OnMissing.UNKNOWN),)
    assert (policy.max_audience_per_hour, policy.notice_minutes, policy.briefing_required) == (None, 0, False)
    assert (policy.exempt_traffic_classes, policy.max_override_minutes) == (frozenset(), 480)


def test_traffic_classes_can_be_exempt_and_overrides_be_kept_short():
    policy = parse_policy(a_document(exempt_traffic_classes=["service"], max_override_minutes=30))
    assert policy.exempt_traffic_classes == {TrafficClass.SERVICE}
    assert policy.max_override_minutes == 30


def test_a_window_may_end_at_midnight():
    assert parse_policy(a_window(to="24:00")).send_windows == (SendWindow(frozenset({0}), time(9), None),)


def test_the_document_is_not_changed():
    before = copy.deepcopy(CONTRACT_EXAMPLE)
    parse_policy(CONTRACT_EXAMPLE)
    assert before == CONTRACT_EXAMPLE


def test_the_default_policy_is_sound_and_needs_only_the_backlog():
    policy = parse_policy(default_policy_document())
    assert policy.queues == ("*",)
    assert {rule.metric for rule in policy.rules if rule.on_missing is OnMissing.UNKNOWN} == {Metric.BACKLOG}
    assert all(rule.min_samples >= 10 for rule in policy.rules if DEFINITIONS[rule.metric].windowed)
    assert all(rule.hold_limit != rule.resume_limit for rule in policy.rules)


def test_the_default_policy_is_a_new_document_each_time():
    default_policy_document()["rules"] = []
    assert default_policy_document()["rules"]


@pytest.mark.parametrize(
    ("document", "pointer", "says"),
    [
        pytest.param([], "", "must be a JSON object", id="no object"),
        pytest.param(None, "", "must be a JSON object", id="null"),
        pytest.param({"rules": [{"metric": "backlog", "hold_above": 1}]}, "/queues", '["*"]', id="no queues"),
        pytest.param(a_document(queues=[]), "/queues", "without queues", id="empty queues"),
        pytest.param(a_document(queues="orders"), "/queues", "must be a list", id="queues no list"),
        pytest.param(a_document(queues=["a", 7]), "/queues/1", "7 must be a queue's name", id="queue no text"),
        pytest.param(a_document(queues=[""]), "/queues/0", "must be a queue's name", id="empty queue name"),
        pytest.param(a_document(queues=["a[bc"]), "/queues/0", "[ without its ]", id="glob left open"),
        pytest.param(a_document(queues=["[!]"]), "/queues/0", "[ without its ]", id="glob of nothing"),
        pytest.param(a_document(queues=["[z-a]"]), "/queues/0", "runs backwards", id="glob range backwards"),
        pytest.param({"queues": ["*"]}, "/rules", "at least one rule", id="no rules"),
        pytest.param(a_document(rules=[]), "/rules", "at least one rule", id="empty rules"),
        pytest.param(a_document(rules={}), "/rules", "must be a list", id="rules no list"),
        pytest.param(a_document(rules=["backlog"]), "/rules/0", "must be a JSON object", id="rule no object"),
        pytest.param(a_document(limit=3), "/limit", 'unknown field "limit"; known are ', id="unknown member"),
        pytest.param(a_document(**{"a/b~c": 3}), "/a~1b~0c", 'unknown field "a/b~c"', id="unknown member, escaped"),
        pytest.param(a_document(time_zone="Mars/Olympus"), "/time_zone", "IANA name", id="unknown time zone"),
        pytest.param(a_document(time_zone="Europe"), "/time_zone", "IANA name", id="a folder of time zones"),
        pytest.param(a_document(time_zone="../../etc/passwd"), "/time_zone", "IANA name", id="no path"),
        pytest.param(a_document(time_zone="localtime"), "/time_zone", "IANA name", id="the machine's own zone"),
        pytest.param(a_document(time_zone="right/Europe/Berlin"), "/time_zone", "IANA name", id="leap seconds"),
        pytest.param(a_document(time_zone=None), "/time_zone", "null is no time zone", id="time zone null"),
        pytest.param(a_document(mode="off"), "/mode", '"enforce" or "shadow"', id="unknown mode"),
        pytest.param(a_document(mode=["shadow"]), "/mode", '"enforce" or "shadow"', id="mode no text"),
        pytest.param(a_document(stale_after_seconds=0), "/stale_after_seconds", "from 1 to 86400", id="stale 0"),
        pytest.param(a_document(stale_after_seconds=86401), "/stale_after_seconds", "to 86400", id="stale a day"),
        pytest.param(a_document(stale_after_seconds=True), "/stale_after_seconds", "true must be a number", id="bool"),
        pytest.param(a_document(stale_after_seconds="60"), "/stale_after_seconds", '"60" must be', id="text"),
        pytest.param(a_document(max_audience_per_wave=0), "/max_audience_per_wave", "from 1 to", id="wave of 0"),
        pytest.param(a_document(max_audience_per_wave=1.5), "/max_audience_per_wave", "whole number", id="half"),
        pytest.param(a_document(outlook=[]), "/outlook", "must be a JSON object", id="outlook no object"),
        pytest.param(a_document(notice_minutes=-1), "/notice_minutes", "minutes", id="notice negative"),
        pytest.param(a_document(notice_minutes=86_401), "/notice_minutes", "to 86400 minutes", id="notice of months"),
        pytest.param(a_document(briefing=True), "/briefing", '"required" or "optional"', id="briefing no word"),
        pytest.param(a_document(briefing="yes"), "/briefing", '"required" or "optional"', id="briefing other word"),
        pytest.param(a_document(max_audience_per_hour=0), "/max_audience_per_hour", "from 1 to", id="hour of 0"),
        pytest.param(
            a_document(exempt_traffic_classes=["service", "bulk"]),
            "/exempt_traffic_classes/1",
            "use promotional or service",
            id="unknown class",
        ),
        pytest.param(
            a_document(exempt_traffic_classes=[]), "/exempt_traffic_classes", "leave the member out", id="no class"
        ),
        pytest.param(
            a_document(exempt_traffic_classes=[{}]), "/exempt_traffic_classes/0", "no traffic class", id="class no text"
        ),
        pytest.param(
            a_document(max_override_minutes=0), "/max_override_minutes", "from 1 to 10080", id="overrides of no time"
        ),
        pytest.param(a_document(max_override_minutes=10_081), "/max_override_minutes", "to 10080", id="over a week"),
        pytest.param(a_rule(hold_above=3), "/rules/0/metric", "needs a metric: backlog, oldest_wait", id="no metric"),
        pytest.param(a_rule(metric="asa", hold_above=3), "/rules/0/metric", "use backlog, oldest_wait", id="metric"),
        pytest.param(a_rule(metric="backlog"), "/rules/0/hold_above", "needs this limit", id="no limit"),
        pytest.param(a_rule(metric="backlog", resume_below=3), "/rules/0/hold_above", "needs this", id="half a pair"),
        pytest.param(
            a_rule(metric="backlog", hold_below=3), "/rules/0/hold_below", "its limits are hold_above", id="wrong side"
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=9, resume_below=3, hold_below=1, resume_above=4),
            "/rules/0/resume_above",
            "gets worse as it gets higher",
            id="both pairs",
        ),
        pytest.param(
            a_rule(metric="service_level_ratio", hold_above=0.8),
            "/rules/0/hold_above",
            "gets worse as it gets lower",
            id="wrong side of a metric that is worse when lower",
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=5, resume_below=10),
            "/rules/0/resume_below",
            "10 must be at or below hold_above (5)",
            id="resume above hold",
        ),
        pytest.param(
            a_rule(metric="service_level_ratio", hold_below=0.8, resume_above=0.7),
            "/rules/0/resume_above",
            "0.7 must be at or above hold_below (0.8)",
            id="resume below hold",
        ),
        pytest.param(
            a_rule(metric="service_level_ratio", hold_below=80),
            "/rules/0/hold_below",
            "80 must be a number from 0 to 1 (a ratio: 0.8 is 80 %)",
            id="percent for a ratio",
        ),
        pytest.param(a_rule(metric="backlog", hold_above=float("nan")), "/rules/0/hold_above", "NaN", id="NaN"),
        pytest.param(a_rule(metric="backlog", hold_above=float("inf")), "/rules/0/hold_above", "Infinity", id="inf"),
        pytest.param(a_rule(metric="backlog", hold_above=10**400), "/rules/0/hold_above", "from 0 to", id="too large"),
        pytest.param(a_rule(metric="backlog", hold_above=-1), "/rules/0/hold_above", "-1 must be", id="negative limit"),
        pytest.param(
            a_rule(metric="agents_staffed", hold_below=0), "/rules/0/hold_below", "never hold", id="never below 0"
        ),
        pytest.param(
            a_rule(metric="occupancy_ratio", hold_above=1), "/rules/0/hold_above", "never hold", id="never above 1"
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=3, window_seconds=300),
            "/rules/0/window_seconds",
            "true at one instant",
            id="window on a gauge",
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=3, min_samples=3),
            "/rules/0/min_samples",
            "true at one instant",
            id="samples of a gauge",
        ),
        pytest.param(
            a_rule(metric="speed_to_answer_seconds", hold_above=3, window_seconds=7200),
            "/rules/0/window_seconds",
            "from 1 to 3600",
            id="window longer than the floor keeps",
        ),
        pytest.param(
            a_rule(metric="speed_to_answer_seconds", hold_above=3, min_samples=-1),
            "/rules/0/min_samples",
            "-1 must be a whole number",
            id="negative samples",
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=3, hold_for_seconds=-1),
            "/rules/0/hold_for_seconds",
            "from 0 to 86400 seconds",
            id="negative hold_for",
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=3, resume_for_seconds=-1),
            "/rules/0/resume_for_seconds",
            "from 0 to 86400 seconds",
            id="negative resume_for",
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=3, on_missing="send"),
            "/rules/0/on_missing",
            '"unknown" or "ignore"',
            id="on_missing",
        ),
        pytest.param(
            a_rule(metric="backlog", hold_above=3, hold_for=3),
            "/rules/0/hold_for",
            "; known are hold_above, hold_below, hold_for_seconds",
            id="unknown member of a rule",
        ),
        pytest.param(
            a_document(rules=[{"metric": "backlog", "hold_above": 3}, {"metric": "backlog", "hold_above": 9}]),
            "/rules/1",
            "a rule for backlog with the default window already",
            id="two rules of one key",
        ),
        pytest.param(a_document(send_windows=[]), "/send_windows", "never open", id="no window"),
        pytest.param(a_document(send_windows=[3]), "/send_windows/0", "must be a JSON object", id="window no object"),
        pytest.param(a_window(days=[]), "/send_windows/0/days", "never opens", id="no days"),
        pytest.param(a_window(days=["mon", "Tue"]), "/send_windows/0/days/1", "mon, tue, wed", id="unknown day"),
        pytest.param(a_window(days=[[]]), "/send_windows/0/days/0", "is no day", id="day no text"),
        pytest.param(a_window(to="09:00"), "/send_windows/0/to", "a whole day is 00:00 to 24:00", id="empty window"),
        pytest.param(a_window(to="06:00"), "/send_windows/0/to", "from 09:00 to 24:00, and on", id="over midnight"),
        pytest.param(a_window(to="6 pm"), "/send_windows/0/to", 'from "00:00" to "24:00"', id="no time of day"),
        pytest.param(a_window(to="25:00"), "/send_windows/0/to", 'from "00:00" to "24:00"', id="hour 25"),
        pytest.param(a_window(**{"from": 9}), "/send_windows/0/from", 'from "00:00" to "24:00"', id="time no text"),
        pytest.param(a_window(zone="UTC"), "/send_windows/0/zone", 'unknown field "zone"', id="member of a window"),
    ],
)
def test_a_fault_is_told_where_it_is(document: object, pointer: str, says: str):
    found = faults(document)
    assert pointer in found
    assert says in found[pointer]


def test_a_window_without_times_names_both():
    found = faults(a_document(send_windows=[{"days": ["mon"]}]))
    assert found.keys() == {"/send_windows/0/from", "/send_windows/0/to"}


def test_every_fault_is_told_at_once():
    document = a_document(queues=["["], mode="x", rules=[{"metric": "x", "min_samples": -1}, 3], extra=1)
    assert faults(document).keys() == {
        "/queues/0",
        "/mode",
        "/rules/0/metric",
        "/rules/0/min_samples",
        "/rules/1",
        "/extra",
    }


def test_a_refusal_reads_as_a_sentence():
    with pytest.raises(PolicyRefused, match=r"policy refused at /mode: .* \(and 1 more\)"):
        parse_policy(a_document(mode="x", extra=1))


def test_rules_of_one_metric_over_two_windows_are_two_rules():
    rules = [{"metric": "service_level_ratio", "hold_below": 0.7, "window_seconds": w} for w in (300, 900.0)]
    assert [rule.key for rule in parse_policy(a_document(rules=rules)).rules] == [
        "service_level_ratio@300",
        "service_level_ratio@900",
    ]


@pytest.mark.parametrize("pattern", ["orders", "orders-*", "?", "[abc]x", "[!abc]", "[]]", "[[]", "a]b", "größe-*"])
def test_a_sound_pattern(pattern: str):
    assert parse_policy(a_document(queues=[pattern])).queues == (pattern,)


def test_a_rule_without_a_limit_says_so():
    with pytest.raises(ValueError, match="needs hold_above or hold_below"):
        _ = Rule(Metric.BACKLOG).hold_limit


# --- the outlook ---


def outlook_of(outlook: object, *rules: dict[str, object]) -> OutlookLimits | None:
    document = a_document(outlook=outlook)
    return parse_policy(document | {"rules": list(rules) or document["rules"]}).outlook


def test_an_outlook_that_names_no_limit_keeps_those_of_the_rules():
    service_level = {"metric": "service_level_ratio", "hold_below": 0.7}
    stricter = {"metric": "service_level_ratio", "hold_below": 0.75, "window_seconds": 900}
    waits = {"metric": "oldest_wait_seconds", "hold_above": 60}
    found = outlook_of({"horizon_minutes": 60}, {"metric": "backlog", "hold_above": 12}, service_level, stricter, waits)
    assert found == OutlookLimits(backlog=12, service_level_ratio=0.75, horizon_minutes=60)


def test_an_outlook_that_names_a_limit_keeps_only_what_it_names():
    assert outlook_of({"abandonment_ratio": 0.05, "service_level_seconds": 30}) == OutlookLimits(
        abandonment_ratio=0.05, service_level_seconds=30
    )


@pytest.mark.parametrize(
    ("outlook", "pointer", "said"),
    [
        (7, "/outlook", "must be a JSON object"),
        ({"service_level_ratio": 80}, "/outlook/service_level_ratio", "from 0.01 to 1 (a ratio: 0.8 is 80 %)"),
        ({"max_breach_probability": 0}, "/outlook/max_breach_probability", "from 0.001 to 0.9"),
        ({"horizon_minutes": 0}, "/outlook/horizon_minutes", "from 15 to 720"),
        ({"horizon_minutes": 30, "window_seconds": 3600}, "/outlook/horizon_minutes", "shorter than one window"),
        ({"window_seconds": 400}, "/outlook/window_seconds", "a multiple of 300"),
        ({"backlog": float("nan")}, "/outlook/backlog", "must be a number"),
        ({"asa": 30}, "/outlook/asa", 'unknown field "asa"'),
    ],
)
def test_an_unsound_outlook_is_refused(outlook, pointer, said):
    assert said in faults(a_document(outlook=outlook))[pointer]


def test_an_outlook_without_anything_to_keep_is_refused():
    document = a_document(outlook={}) | {"rules": [{"metric": "oldest_wait_seconds", "hold_above": 60}]}
    assert "name at least one of service_level_ratio" in faults(document)["/outlook"]
