"""A screen says the verdict, why, until when, and a few numbers, the deciding one first, each with its limit."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.floor.metric import Metric
from app.core.floor.targets import QueueTargets
from app.core.forecast.limits import OutlookLimits
from app.core.gate.decision import Check, CheckStatus, Decision, Reason, ReasonCode, Verdict
from app.core.gate.policy import Policy, parse_policy
from app.services.published import GateState
from app.web.format import NONE
from app.web.rendering import environment
from app.web.wall.numbers import Number, parts
from app.web.wall.view import Wall, no_gate, unbroken, wall
from app.web.wall.walls import Face
from tests.support.floors import NOON, StaticFloor, a_reading

POLICY = parse_policy(
    {"queues": ["*"], "time_zone": "America/Chicago", "rules": [{"metric": "backlog", "hold_above": 10}]}
)


def a_check(
    metric: Metric = Metric.BACKLOG, queue: str = "orders", status: CheckStatus = CheckStatus.PASS, **members: Any
) -> Check:
    """Return a check of a limit of 10 at a value of 4, six away from it, with these members instead."""
    made = Check(metric, queue, status, value=4.0, op="<=", limit=10.0, resume_limit=5.0, margin=6.0, unit="contacts")
    return replace(made, **members)


def a_floor(*queues: str, **values: float) -> StaticFloor:
    """Return a floor whose queues report these metrics now."""
    floor = StaticFloor()
    for queue in queues:
        floor.add_queue(queue)
        for metric, value in values.items():
            floor.put(queue, a_reading(Metric(metric), value))
    return floor


def a_wall(
    floor: StaticFloor, *checks: Check, reasons: tuple[Reason, ...] = (), policy: Policy = POLICY, **asked: Any
) -> Wall:
    """Return what a screen shows of a gate with these checks; its verdict follows from there being reasons."""
    verdict = Verdict.HOLD if reasons else Verdict.SEND
    since, later = NOON - timedelta(minutes=12), NOON + timedelta(minutes=1)
    decision = Decision(verdict, NOON, since, reasons, checks, policy.mode, NOON, later, None, None)
    targets = asked.pop("targets", {})
    return wall(GateState("default", policy, 1, decision, decision), floor, NOON, targets, **asked)


def told(number: Number) -> tuple[str, str, str]:
    """Return a number as people read it."""
    figures = " ".join(figure + unit for figure, unit in number.parts)
    return (
        number.label,
        f"{number.queue} {figures}".strip(),
        f"{number.word} {number.target}".strip().replace("\u00a0", " "),
    )


def test_it_says_the_word_since_when_and_by_which_clock():
    shown = a_wall(a_floor("orders"), a_check(), coming="A send may begin now.")
    assert (shown.state, shown.word, shown.coming) == ("send", "SEND", "A send may begin now.")
    assert shown.reason == "Clear to send: 1 queue within limits."
    assert (shown.since.text, shown.lasting) == ("05:48", "12\u202fmin")
    assert (shown.now.text, shown.zone, shown.zone_name) == ("06:00", "America/Chicago", "CST")


def test_a_screen_may_hang_in_another_zone_than_its_gates():
    shown = a_wall(a_floor("orders"), a_check(), zone="Asia/Tokyo")
    assert (shown.now.text, shown.zone, shown.zone_name) == ("21:00", "Asia/Tokyo", "JST")


def test_what_began_on_another_day_says_its_day():
    shown = a_wall(a_floor("orders"), a_check(), zone="Pacific/Kiritimati")
    assert shown.since.text == "01:48"
    shown = a_wall(a_floor("orders"), a_check(), zone="Etc/GMT+11")
    assert (shown.now.text, shown.since.text) == ("01:00", "00:48")
    decided = a_wall(a_floor("orders"), a_check(), zone="Etc/GMT+12")
    assert (decided.now.text, decided.since.text) == ("00:00", "Sun 22 Nov 23:48")


def test_the_deciding_number_is_first_then_the_graver_then_in_a_place_that_does_not_change():
    deciding = a_check(
        Metric.SERVICE_LEVEL_RATIO, status=CheckStatus.HOLDING, op=">=", unit="ratio", value=0.7, limit=0.8
    )
    graver = a_check(
        Metric.OLDEST_WAIT_SECONDS, status=CheckStatus.RECOVERING, unit="seconds", value=200, resume_limit=90
    )
    reason = Reason(ReasonCode.SERVICE_LEVEL_LOW, "orders: 70 %", deciding.metric, "orders", binding=True)
    shown = a_wall(a_floor("orders"), a_check(), graver, deciding, reasons=(reason,))
    assert [told(number) for number in shown.numbers] == [
        ("Service level", "70%", "holding limit ≥ 80\u202f%"),
        ("Oldest wait", "3min 20s", "recovering resume ≤ 1\u202fmin 30\u202fs"),
        ("Backlog", "4", "limit ≤ 10"),
    ]
    assert [number.state for number in shown.numbers] == ["hold", "throttle", "neutral"]


def test_of_several_queues_a_metric_is_shown_where_it_stands_worst():
    near, far = a_check(queue="care", margin=1.0, value=9.0), a_check(queue="orders")
    shown = a_wall(a_floor("care", "orders"), far, near, targets={"care": QueueTargets(title="Care by chat")})
    assert told(shown.numbers[0]) == ("Backlog", "Care by chat 9", "limit ≤ 10")


def test_a_second_queue_that_stands_badly_is_shown_too_a_good_one_only_where_there_is_room():
    bad = [a_check(queue=queue, status=CheckStatus.HOLDING, margin=-1.0) for queue in ("a", "b")]
    assert [number.queue for number in a_wall(a_floor("a", "b", "c"), *bad, a_check(queue="c")).numbers] == [
        "a",
        "b",
        "c",
    ]
    floor = a_floor("a", "b", backlog=1, oldest_wait_seconds=1, speed_to_answer_seconds=1, service_level_ratio=1)
    shown = a_wall(floor, a_check(queue="a"), a_check(queue="b"))
    assert [number.label for number in shown.numbers] == ["Backlog", "Oldest wait", "Speed to answer", "Service level"]


def test_what_no_rule_looks_at_fills_up_with_its_target_or_none():
    reported = {"oldest_wait_seconds": 30, "speed_to_answer_seconds": 20, "service_level_ratio": 0.85}
    floor = a_floor("orders", agents_available=3, agents_staffed=40, **reported)
    policy = replace(POLICY, outlook=OutlookLimits(service_level_ratio=0.8, speed_to_answer_seconds=30))
    shown = a_wall(floor, a_check(), policy=policy)
    assert [told(number) for number in shown.numbers] == [
        ("Backlog", "4", "limit ≤ 10"),
        ("Oldest wait", "30s", "no limit"),
        ("Speed to answer", "20s", "target ≤ 30\u202fs"),
        ("Service level", "85%", "target ≥ 80\u202f%"),
        ("Agents free", "3", "of 40 staffed"),
    ]


def test_there_are_never_more_than_six():
    metrics = [metric for metric in Metric if metric is not Metric.AGENTS_AVAILABLE]
    assert len(a_wall(a_floor("orders"), *(a_check(metric) for metric in metrics)).numbers) == 6


def test_what_is_not_known_has_no_figure_and_what_is_old_does_not_fill_up():
    floor = a_floor("orders")
    floor.put("orders", a_reading(Metric.OLDEST_WAIT_SECONDS, 5, observed_at=NOON - timedelta(hours=1)))
    (only,) = a_wall(floor, a_check(status=CheckStatus.STALE)).numbers
    assert (only.parts, only.state, only.word) == (((NONE, ""),), "unknown", "stale")


def test_chosen_queues_are_the_only_ones_with_numbers():
    checks = [a_check(queue=queue) for queue in ("care", "orders", "sales")]
    shown = a_wall(a_floor("care", "orders", "sales", oldest_wait_seconds=7), *checks, queues=("orders", "gone"))
    assert [(number.label, number.queue) for number in shown.numbers] == [("Backlog", ""), ("Oldest wait", "")]
    nothing = a_wall(a_floor("care"), a_check(queue="care"), queues=("gone",))
    assert (nothing.numbers, nothing.empty) == ((), "No queue that this screen shows has reported yet.")


def test_a_gate_that_is_gone_is_unknown():
    shown = no_gate("brief", NOON, None)
    assert (shown.state, shown.word, shown.numbers, shown.data_as_of) == ("unknown", "UNKNOWN", (), None)
    assert shown.reason == "There is no gate “brief” any more."


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("14", (("14", ""),)),
        ("12,345", (("12,345", ""),)),
        ("71.4\u202f%", (("71.4", "%"),)),
        ("3\u202fmin 20\u202fs", (("3", "min"), ("20", "s"))),
        (NONE, ((NONE, ""),)),
    ],
)
def test_figures_and_units_are_told_apart(value, expected):
    assert parts(value) == expected


def test_no_line_ends_between_a_number_and_its_unit():
    assert (
        unbroken("is 10 s old, limit ≤ 5 min (and 2 more)") == "is 10\u00a0s old, limit ≤\u00a05\u00a0min (and 2 more)"
    )
    assert unbroken("14 schools, 3 hours") == "14 schools, 3 hours"


def test_names_from_outside_are_text():
    shown = a_wall(a_floor("<i>a</i>", "b"), a_check(queue="<i>a</i>"), coming="<script>")
    html = Face(environment(), (), None).html(shown)
    assert "&lt;i&gt;a&lt;/i&gt;" in html
    assert "<i>" not in html
    assert "<script>" not in html


def test_screens_that_show_the_same_are_equal_so_that_their_frames_are_made_once():
    templates = environment()
    assert Face(templates, ("a",), "UTC") == Face(templates, ("a",), "UTC")
    assert len({Face(templates, ("a",), "UTC"), Face(templates, ("a",), None), Face(templates, ("a",), "UTC")}) == 2
