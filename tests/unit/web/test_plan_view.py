"""A plan in sentences and on a line of time: every way to send with its chance."""

from dataclasses import replace
from datetime import UTC as UTC_TIME
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.core.floor.metric import Metric
from app.core.forecast.breach import Breach, Verdict
from app.core.forecast.extra_agents import ExtraAgents
from app.core.forecast.limits import OutlookLimits
from app.core.forecast.plan import Plan
from app.core.forecast.safe import Bound, SafeSend
from app.core.forecast.waves import Spread, Wave
from app.core.forecast.windows_ahead import NextWindow
from app.core.gate.decision import Verdict as GateVerdict
from app.web.format import NO_BREAK, THIN
from app.web.outlook.words import Reader
from app.web.plan.form import PlanQuery, Ways, read_form
from app.web.plan.timeline import HEIGHT, LABEL_HEIGHT, Part, timeline
from app.web.plan.view import Planned, plan_shown
from tests.support.floors import NOON

UTC = ZoneInfo("UTC")
READER = Reader(NOON, UTC, {"orders-voice": "Orders", "care-chat": "Care"})
FALLS = Breach("orders-voice", Metric.SERVICE_LEVEL_RATIO, 900.0, 1800.0, 0.7, 0.74, 0.8, 0.97)
BREAKS = "the service level of Orders, 74 % at 12:15–12:30, limit 80 %"  # noqa: RUF001
PLAN = Plan(
    audience=500_000,
    without=Verdict(0.01, ()),
    at_once=Verdict(0.999, (FALLS,)),
    now=SafeSend(25_000, Bound.LIMIT, 0.03, FALLS, 0.12),
    equal=(Wave(0, 12_000), Wave(20, 12_000), Wave(40, 12_000)),
    greedy=(Wave(0, 25_000), Wave(20, 8_000), Wave(60, 4_000)),
    spread=Spread(120, 60_000, 0.09),
    next_window=NextWindow(21 * 60, 475_000, 0.04),
    agents=ExtraAgents(500_000, 30, {"orders-voice": 14, "care-chat": 2}, 0.08),
)


def a_plan(*, verdict=GateVerdict.SEND, **changes) -> Planned:
    limits = OutlookLimits(service_level_ratio=0.8)
    return Planned(NOON, replace(PLAN, **changes), limits, 20, READER, verdict)


def plain(text: str) -> str:
    return text.replace(THIN, " ").replace(NO_BREAK, " ").replace("\u2060", "")


def answer(**changes):
    found = plan_shown(a_plan(**changes)).answer
    return found.state, found.lead, found.amount, [plain(each) for each in found.sentences]


def way(name, **changes):
    (found,) = [each for each in plan_shown(a_plan(**changes)).ways if each.name.startswith(name)]
    return found.state, plain(found.sentence)


# --- the answer -------------------------------------------------------------------------------------------------------


def test_the_answer_says_how_many_how_surely_why_not_more_and_what_all_at_once_would_do():
    assert answer() == (
        "throttle",
        "Safe to send now",
        "25,000 of 500,000",
        [
            "3 % chance that a limit breaks with that; 10 % is accepted.",
            f"Not more, because of {BREAKS}.",
            f"All 500,000 at once: more than 99 % chance that a limit breaks, likeliest {BREAKS}.",
        ],
    )


def test_a_limit_that_breaks_anyway_is_said_to():
    already = SafeSend(0, Bound.ALREADY, 0.4, FALLS, 0.4)
    state, _, amount, said = answer(now=already, without=Verdict(0.4, (FALLS,)))
    assert (state, amount) == ("hold", "nothing")
    assert said == [f"Even if nothing is sent: 40 % chance that a limit breaks, likeliest {BREAKS}."]


def test_where_all_of_it_is_safe_no_waves_are_offered():
    whole = SafeSend(500_000, Bound.EVERYTHING, 0.02)
    assert answer(now=whole) == (
        "send",
        "Safe to send now",
        "all 500,000",
        ["2 % chance that a limit breaks with that; 10 % is accepted."],
    )
    assert plan_shown(a_plan(now=whole)).ways == ()
    nobody = answer(now=SafeSend(500_000, Bound.NO_CONTACTS, 0.02))
    assert nobody[3] == ["No contacts are expected of it in these queues."]


@pytest.mark.parametrize(
    ("verdict", "state", "lead"),
    [
        (GateVerdict.HOLD, "hold", "Held now; safe by the outlook alone"),
        (GateVerdict.UNKNOWN, "unknown", "The gate cannot tell now; safe by the outlook alone"),
        (GateVerdict.THROTTLE, "throttle", "Safe to send now"),
    ],
)
def test_the_gate_goes_before_its_plan(verdict, state, lead):
    assert answer(verdict=verdict)[:2] == (state, lead)


# --- ways -------------------------------------------------------------------------------------------------------------


def test_waves_say_how_many_how_far_apart_until_when_and_how_much_that_is():
    assert way("Largest") == (
        "throttle",
        "3 waves, 20 min apart, 12:00 to 13:00: 37,000 of 500,000, at most 10 % chance that a limit breaks.",
    )
    assert way("Equal") == (
        "throttle",
        "3 waves of 12,000, 20 min apart, 12:00 to 12:40: 36,000 of 500,000, at most 10 % chance that a limit breaks.",
    )
    assert way("Equal", audience=36_000)[0] == "send"
    assert way("Equal", audience=36_002) == ("send", way("Equal", audience=36_000)[1].replace("36,000", "36,002"))
    assert way("Equal", audience=36_003)[0] == "throttle"
    assert way("Largest", greedy=(Wave(40, 9_000),))[1].startswith("1 wave at 12:40: 9,000 of 500,000")
    assert way("Equal", equal=()) == ("hold", "None is safe, however small.")


def test_what_goes_when_is_listed_for_those_who_see_no_drawing():
    largest = plan_shown(a_plan()).ways[0]
    assert largest.parts == "12:00 25,000 · 12:20 8,000 · 13:00 4,000"


def test_an_even_delivery_says_over_how_long():
    assert way("Evenly") == (
        "throttle",
        "Over 2 h, 12:00–14:00: 60,000 of 500,000, 9 % chance that a limit breaks.",  # noqa: RUF001
    )
    assert way("Evenly", spread=Spread(45, 500_000, 0.1))[0] == "send"
    assert way("Evenly", spread=Spread(170, 0, 0.3)) == ("hold", "Not even that is safe.")


def test_what_may_not_go_now_may_go_later_all_or_in_part_or_never_in_sight():
    assert way("Later") == (
        "send",
        "From Tue 09:00 on, the 475,000 that may not go now: 4 % chance that a limit breaks.",
    )
    part = NextWindow(60, 9_000, 0.1)
    assert way("Later", next_window=part) == (
        "throttle",
        "From 13:00 on, 9,000 of the 475,000 that may not go now: 10 % chance that a limit breaks.",
    )
    assert way("Later", next_window=None)[1] == "No start in sight is safe for the 475,000 that may not go now."


def test_more_agents_are_named_by_queue_with_when_they_are_needed():
    assert way("All now") == (
        "send",
        "14 more in Orders and 2 more in Care from 12:30 to 15:00: 8 % chance that a limit breaks.",
    )
    one = ExtraAgents(500_000, 30, {"care-chat": 2}, 0.08)
    assert way("All now", agents=one)[1].startswith("2 more in Care from 12:30")
    assert way("All now", agents=replace(one, by_queue={}))[1] == "No more agents are needed."
    state, said = way("All now", agents=replace(one, by_queue=None))
    assert state == "hold"
    assert said.startswith("No number of them from 12:30 on makes all of it safe now")


# --- on a line of time ------------------------------------------------------------------------------------------------


def test_parts_stand_where_they_begin_as_high_as_they_are_large():
    drawn = plan_shown(a_plan()).ways[0].drawing
    assert drawn is not None
    assert [block.x for block in drawn.blocks] == [0, 11.11, 33.33]
    assert [block.text for block in drawn.blocks] == ["25,000", "8,000", "4,000"]
    assert drawn.blocks[0].height == HEIGHT - LABEL_HEIGHT
    assert drawn.blocks[1].height == pytest.approx((HEIGHT - LABEL_HEIGHT) * 8 / 25, abs=0.1)
    assert all(block.y + block.height == pytest.approx(HEIGHT) for block in drawn.blocks)


def test_the_axis_has_round_local_times_and_none_that_would_be_cut():
    drawn = timeline([], (NOON, NOON + timedelta(hours=3)), 1.0, ZoneInfo("America/Chicago"))
    assert [tick.text for tick in drawn.ticks] == ["06:30", "07:00", "07:30", "08:00", "08:30"]
    assert drawn.ticks[1].x == 33.33


def test_what_begins_after_the_end_is_said_there():
    later = plan_shown(a_plan()).ways[3].drawing
    assert later is not None
    assert (later.blocks, later.beyond) == ((), f"Tue{NO_BREAK}09:00 →")
    cut = timeline([Part(170, 60, 5.0, "5")], (NOON, NOON + timedelta(hours=3)), 10.0, UTC)
    assert cut.blocks[0].x + cut.blocks[0].width == pytest.approx(100, abs=0.1)
    assert cut.beyond == ""


def test_a_plan_that_begins_later_says_then_and_does_not_go_by_the_gate_of_now():
    later = replace(a_plan(), is_later=True)
    shown = plan_shown(later)
    assert (shown.answer.state, shown.answer.lead) == ("throttle", "Safe to send from 12:00 on")
    assert [plain(way.sentence) for way in shown.ways][3].startswith(
        "From Tue 09:00 on, the 475,000 that may not go then"
    )
    assert shown.ways[4].name == "All then, with more agents"


# --- what was asked ---------------------------------------------------------------------------------------------------


def test_an_empty_form_has_the_usual_ways():
    read = read_form(PlanQuery(), UTC)
    assert (read.audience, read.ways, read.faults) == (None, Ways(20, 6, 30), {})


def test_what_was_typed_is_read_field_by_field():
    read = read_form(PlanQuery(audience="25,000", gap="15", waves="12", lead="0"), UTC)
    assert (read.audience, read.ways, read.faults) == (25_000, Ways(15, 12, 0), {})


def test_each_fault_is_said_at_its_field():
    read = read_form(PlanQuery(audience="many", gap="3", waves="49", lead="soon"), UTC)
    assert sorted(read.faults) == ["audience", "gap", "lead", "waves"]
    assert read.faults["gap"] == "Minutes between waves: write a whole number from 5 to 240."


def test_while_send_windows_are_closed_only_what_begins_later_is_a_way():
    closed = {"verdict": GateVerdict.HOLD, "now": SafeSend(0, Bound.SEND_WINDOW, 0.01), "equal": ()}
    found = plan_shown(a_plan(**closed))
    said = ["The policy's send windows are closed. What follows begins when they are open."]
    assert (found.answer.state, found.answer.amount, list(found.answer.sentences)) == ("hold", "nothing", said)
    assert [each.name.split(",")[0] for each in found.ways] == ["Largest waves", "Equal waves", "Later"]
    assert way("Equal", **closed) == ("hold", "None is safe while the send windows are open, however small.")


def test_a_start_is_read_by_the_clock_of_the_gate_and_asked_back_about_when_it_comes_twice():
    chicago = ZoneInfo("America/Chicago")
    read = read_form(PlanQuery(start="2026-11-23T09:00"), chicago)
    assert (read.start_at, read.faults) == (datetime(2026, 11, 23, 15, tzinfo=UTC_TIME), {})
    twice = read_form(PlanQuery(start="2026-11-01T01:30"), chicago)
    assert (list(twice.faults), list(twice.twice)) == (["start"], ["start"])
    assert read_form(PlanQuery(start="2026-11-01T01:30", start_which="second"), chicago).faults == {}
    assert list(read_form(PlanQuery(start="noon", kind="a\nb"), chicago).faults) == ["start", "kind"]


def test_a_question_keeps_what_it_says_in_its_url_and_nothing_else():
    query = PlanQuery(gate="default", audience="25,000", wait="yes", kind="offer")
    assert query.url() == "/plan?gate=default&kind=offer&audience=25%2C000"
    assert query.url(kind="", permit="prm_1") == "/plan?gate=default&audience=25%2C000&permit=prm_1"
    assert PlanQuery().url() == "/plan"
    at = datetime(2026, 11, 1, 7, 29, 30, tzinfo=UTC_TIME)
    assert PlanQuery(permit="p").starting(at, ZoneInfo("America/Chicago")) == (
        "/plan?start=2026-11-01T01%3A30&start_which=second"
    )
