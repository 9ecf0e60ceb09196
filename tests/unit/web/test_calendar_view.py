"""The calendar's page: weeks of 167 to 169 hours, what campaigns are objected to, and hours beside who is there."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from app.core.campaign.campaign import Campaign, CampaignState, Release, ReleaseMode, TrafficClass
from app.core.forecast.workload import Coming, Fit, QueueHours, Source
from app.core.gate.answer import CampaignFacts
from app.core.gate.policy import parse_policy
from app.services.workloads import Workload
from app.web.calendar.entries import Around, at_another_time, entries, may_move
from app.web.calendar.files import hour_rows
from app.web.calendar.loads import hours, stretches
from app.web.calendar.moving import MoveForm, consequences, read, work_said
from app.web.calendar.period import period_of
from app.web.calendar.view import Place, calendar_page

CHICAGO = ZoneInfo("America/Chicago")
NOW = datetime(2026, 11, 23, 15, tzinfo=UTC)  # Monday, 9 o'clock in Chicago
RULES = [{"metric": "backlog", "hold_above": 10}]
STRICT = parse_policy(
    {
        "queues": ["*"],
        "rules": RULES,
        "time_zone": "America/Chicago",
        "notice_minutes": 240,
        "briefing": "required",
        "exempt_traffic_classes": ["service"],
    }
)
SPRING = Campaign(
    id="spring",
    title="Spring sale",
    gate="default",
    audience=500_000,
    owner="Kim",
    created_at=NOW,
    state=CampaignState.SCHEDULED,
    announced_at=NOW,
    earliest_start=NOW + timedelta(days=1),
)
SPRING_AT = NOW + timedelta(days=1)


def around(*campaigns: Campaign, missing: tuple[str, ...] | None = (), policy=STRICT, queues=("orders",)) -> Around:
    facts = {
        each.id: CampaignFacts(each.id, each.gate, each.audience, each.state, missing_acknowledgements=missing)
        for each in campaigns
    }
    watched = {each.id: frozenset(queues) for each in campaigns}
    return Around({"default": policy}, facts, watched, {"orders": "Orders"}, 120, NOW, CHICAGO)


def words(campaign: Campaign, *others: Campaign, **changes) -> list[str]:
    shown = entries([campaign, *others], around(campaign, *others, **changes))
    (own,) = (entry for entry in shown if entry.id == campaign.id)
    return [warned.word for warned in own.warnings]


# --- periods ---


@pytest.mark.parametrize(
    ("day", "hours_of_week", "title"),
    [
        (date(2026, 3, 8), 167, "Week 10, 2 to 8 March 2026"),
        (date(2026, 11, 23), 168, "Week 48, 23 to 29 November 2026"),
        (date(2026, 11, 1), 169, "Week 44, 26 October to 1 November 2026"),
        (date(2027, 1, 1), 168, "Week 53, 28 December 2026 to 3 January 2027"),
    ],
)
def test_a_week_is_that_of_iso_and_has_the_hours_its_clock_strikes(day, hours_of_week, title):
    week = period_of("week", day, CHICAGO)
    page = calendar_page(week, Place("week", None), (), (), NOW)
    assert week.title == title
    assert sum(len(slots) for row in page.rows for slots in row.cells) == hours_of_week
    assert len(week.edges) == hours_of_week + 1


def test_the_skipped_hour_has_no_slot_and_the_double_one_two_that_name_their_zones():
    spring = calendar_page(period_of("week", date(2026, 3, 8), CHICAGO), Place("week", None), (), (), NOW)
    assert spring.rows[2].cells[6] == ()
    autumn = calendar_page(period_of("week", date(2026, 11, 1), CHICAGO), Place("week", None), (), (), NOW)
    assert [slot.twice for slot in autumn.rows[1].cells[6]] == ["CDT", "CST"]
    assert [slot.at for slot in autumn.rows[1].cells[6]] == ["2026-11-01T01"] * 2


def test_a_month_is_all_weeks_that_it_touches():
    month = period_of("month", date(2026, 11, 23), CHICAGO)
    assert (month.first, month.days, month.title) == (date(2026, 10, 26), 42, "November 2026")
    assert [month.is_aside(day) for day in (date(2026, 10, 31), date(2026, 11, 1))] == [True, False]
    assert (month.earlier, month.later) == (date(2026, 10, 31), date(2026, 12, 1))
    assert [week.number for week in calendar_page(month, Place("month", None), (), (), NOW).weeks] == [*range(44, 50)]


def test_addresses_keep_the_gate_and_the_zone():
    page = calendar_page(period_of("week", date(2026, 11, 23), CHICAGO), Place("week", "north", "UTC"), (), (), NOW)
    assert page.later == "/calendar?view=week&day=2026-11-30&gate=north&zone=UTC"


# --- campaigns ---


def test_a_campaign_stands_in_its_hour_and_goes_on_in_the_next_ones():
    waves = replace(SPRING, release=Release(ReleaseMode.WAVES, 200_000, 3600.0))
    shown = entries([waves], around(waves))
    page = calendar_page(period_of("week", date(2026, 11, 23), CHICAGO), Place("week", None), shown, (), NOW)
    tuesday = [row.cells[1][0] for row in page.rows]
    assert [each.id for each in tuesday[9].entries] == ["spring"]
    assert [len(slot.going) for slot in tuesday[8:13]] == [0, 0, 1, 1, 0]
    assert (shown[0].typed, shown[0].clock) == ("2026-11-24T09:00", "09:00")
    assert shown[0].waves == "3 waves of 200,000, 1\u202fh apart"
    assert page.summary == "1 campaign."


def test_notice_that_is_too_short_is_said_until_it_is_long_enough():
    soon = replace(SPRING, earliest_start=NOW + timedelta(hours=2))
    (entry,) = entries([soon], around(soon))
    assert [warned.word for warned in entry.warnings] == ["short notice"]
    assert "4\u202fh of notice" in entry.warnings[0].sentence
    assert "from Mon 23 Nov 13:00 on" in entry.warnings[0].sentence
    assert words(SPRING) == []
    assert words(replace(soon, traffic_class=TrafficClass.SERVICE)) == []
    assert words(replace(soon, started_at=NOW, state=CampaignState.RELEASING)) == []


def test_a_draft_is_objected_to_only_where_announcing_it_now_would_be_too_late():
    draft = replace(SPRING, state=CampaignState.DRAFT, announced_at=None)
    assert words(draft) == []
    assert words(replace(draft, earliest_start=NOW + timedelta(hours=1))) == ["short notice"]


def test_a_briefing_that_is_missing_or_unread_is_said_where_the_gate_wants_one():
    assert words(SPRING, missing=None) == ["no briefing"]
    assert words(SPRING, missing=("orders",)) == ["briefing not read"]
    plain = parse_policy({"queues": ["*"], "rules": RULES})
    assert words(SPRING, missing=None, policy=plain) == []


def test_campaigns_whose_contacts_come_together_to_the_same_queues_are_marked():
    after = replace(SPRING, id="summer", title="Summer", earliest_start=SPRING_AT + timedelta(hours=2))
    assert words(SPRING, after) == ["overlap"]
    assert words(after, SPRING) == ["overlap"]
    assert words(SPRING, replace(after, state=CampaignState.CANCELLED)) == []
    assert words(SPRING, replace(after, earliest_start=NOW + timedelta(days=1, hours=3))) == []
    assert words(SPRING, after, queues=()) == []


def test_only_what_has_not_begun_may_be_moved():
    assert may_move(SPRING)
    assert may_move(replace(SPRING, state=CampaignState.DRAFT, announced_at=None))
    assert not may_move(replace(SPRING, started_at=NOW, state=CampaignState.RELEASING))
    assert not may_move(replace(SPRING, state=CampaignState.CANCELLED))


# --- moving ---


def test_an_earlier_start_is_announced_anew_and_a_later_one_is_not():
    earlier = at_another_time(replace(SPRING, announced_at=NOW - timedelta(days=3)), NOW + timedelta(hours=1), NOW)
    assert earlier.announced_at == NOW
    assert at_another_time(SPRING, NOW + timedelta(days=2), NOW + timedelta(hours=1)).announced_at == NOW


def test_what_a_move_means_for_the_notice_is_said():
    announced = replace(SPRING, announced_at=NOW - timedelta(days=3))
    later = consequences(announced, NOW + timedelta(days=2), (), around(announced))
    assert [each.word for each in later] == ["later", "notice kept"]
    sooner = consequences(announced, NOW + timedelta(hours=2), (), around(announced))
    assert [(each.state, each.word) for each in sooner] == [("none", "earlier"), ("hold", "short notice")]
    assert sooner[1].sentence.endswith("An earlier start is announced anew, so its notice begins again now.")


@pytest.mark.parametrize(
    ("start", "which", "said"),
    [
        ("2026-11-24T10:00", "", None),
        ("", "", "Choose a date and a time"),
        ("2026-11-23T08:00", "", "is over; choose a time ahead"),
        ("2027-03-14T02:30", "", "does not exist"),
        ("2027-11-07T01:30", "", "comes twice"),
        ("2027-11-07T01:30", "second", None),
    ],
)
def test_the_start_is_read_by_the_centers_clock(start, which, said):
    found = read(MoveForm(start=start, start_which=which), CHICAGO, NOW)
    assert (found.faults == {}) is (said is None)
    if said:
        assert said in found.faults["start"]
    else:
        assert found.known_start is not None
        assert f"{found.known_start.astimezone(CHICAGO):%Y-%m-%dT%H:%M}" == start


# --- hours ---


def a_load(anyway, caused, agents, *, handle_seconds=360.0) -> Workload:
    count = len(anyway)
    edges = tuple(NOW + timedelta(hours=number) for number in range(count + 1))
    coming = Coming(np.array(anyway, dtype=float), np.array(caused, dtype=float), "the median")
    queue = QueueHours(
        "orders",
        coming,
        np.array(agents, dtype=float),
        (Source.SCHEDULED,) * count,
        is_open=np.ones(count, dtype=np.bool_),
        hours=np.ones(count),
        is_gone=np.zeros(count, dtype=np.bool_),
        handle_seconds=handle_seconds,
        concurrency=1.0,
    )
    return Workload(NOW, edges, (queue,))


def test_an_hour_says_its_work_and_who_is_there():
    shown = hours(a_load([60, 60, 85], [0, 60, 10], [10, 10, 10]), {"orders": "Orders"}, CHICAGO)
    assert [hour.fit for hour in shown] == [Fit.FITS, Fit.OVER, Fit.FULL]
    assert [hour.state for hour in shown] == ["", "hold", "throttle"]
    assert shown[1].said == (
        "Over capacity in Orders: 120 contacts expected, 60 of them from campaigns, the work of 12 agents; "
        "10 agents scheduled."
    )
    assert tuple(shown[1].bar) == pytest.approx((50.0, 50.0, 83.33))


def test_what_is_not_known_is_never_zero():
    shown = hours(a_load([60, np.nan], [0, 0], [10, np.nan]), {}, CHICAGO)
    assert shown[1].state == "unknown"
    assert (shown[1].numbers.contacts, shown[1].numbers.agents, shown[1].bar.line) == (None, None, None)
    assert shown[1].numbers.texts == ("–", "0", "–", "–")  # noqa: RUF001  what is not known prints so
    assert hours(a_load([60], [0], [np.nan]), {}, CHICAGO) == ()
    assert [row[3:] for row in hour_rows(a_load([np.nan], [0], [np.nan]))] == [
        (None, 0.0, None, None, "scheduled", "unknown")
    ]


def test_hours_that_stand_alike_are_one_stretch():
    shown = hours(a_load([120, 130, 60, 95], [0] * 4, [10] * 4), {"orders": "Orders"}, CHICAGO)
    told = stretches(shown, CHICAGO)
    assert [(each.word, each.starts.text, each.ends.text) for each in told] == [
        ("over capacity", "09:00", "11:00"),
        ("nearly full", "12:00", "13:00"),
    ]
    assert told[0].said == "in Orders: the work of 13 agents at its worst, 10 scheduled"


def test_what_a_move_does_to_the_hours_is_compared_with_leaving_it():
    busy, quiet = (hours(a_load([amount], [0], [10]), {}, CHICAGO) for amount in (200, 10))
    assert work_said(quiet, busy) == ("send", "it fits", "No hour in the day after it is over capacity.")
    assert work_said(busy, quiet).sentence == (
        "1 hour in the day after it over capacity, the first at 09:00 in orders; none if it is not moved."
    )
