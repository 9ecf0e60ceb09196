from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.debrief.debrief import (
    Contacts,
    Count,
    Course,
    Debrief,
    Estimate,
    Figures,
    Floor,
    Method,
    QueueLift,
    Sent,
    Slam,
    State,
    Tagged,
    Telling,
    Window,
)
from app.core.debrief.question import Before, Limit, OverrideFact, WaveFact
from app.core.floor.metric import Metric
from app.web.debrief.view import debrief_page
from app.web.format import MINUS, NONE
from tests.support.debriefing import FIRST, RELEASE, SUBJECT

CHICAGO = ZoneInfo("America/Chicago")
JOINT = Estimate(
    Method.JOINT, 322.4, 239.0, 405.0, 11.46, 8.5, 14.4, is_distinguishable=True, detection_limit=83.0, said="322."
)


def telling(level: float | None, answer: float | None, *backlog: float | None) -> Telling:
    nothing = (None,) * len(backlog)
    return Telling(Course(nothing, nothing, backlog, backlog), Figures(2864.0, level, answer, 19.4))


FLOOR = Floor(
    telling(0.897, 5.9, 1.0, 2.0), telling(0.91, 5.0, 1.0, 1.5), telling(0.5, 38.0, 9.0, 4.0),
    telling(0.98, 0.6, 0.1, 0.1), ("orders-voice",), (),
)  # fmt: skip
DEBRIEF = Debrief(
    campaign=SUBJECT,
    state=State.FINAL,
    at=FIRST + timedelta(hours=80),
    time_zone="America/Chicago",
    sent=Sent(50_000, 0, FIRST, FIRST),
    window=Window(FIRST, FIRST + timedelta(minutes=10), 300),
    summary=("50,000 messages went out.",),
    contacts=Contacts(JOINT, None, None, JOINT, replace(JOINT, method=Method.FROZEN), 516.4, "322."),
    tagged=Tagged(9, 9, (), (Count("voice", 9),), (Count("complaint", 4), Count("", 5)), "9 contacts named it."),
    queues=(QueueLift("orders-voice", 2864, 2542.3, JOINT, 9, "the median of 8 weekdays"),),
    floor=FLOOR,
    release=RELEASE,
    unknown=(),
)


def page(**members: Any) -> Any:
    return debrief_page(replace(DEBRIEF, **members), CHICAGO, {"orders-voice": "Orders"}, ("complaint",))


def fact(term: str, **members: Any) -> tuple[str, str]:
    found = {each.term: (each.value, each.beside) for each in page(**members).facts}
    return found[term]


def test_every_number_has_its_interval_and_times_are_those_of_the_gate():
    assert fact("Contacts it brought") == ("322", f"239\u00a0{NONE}\u00a0405")
    assert fact("Contacts per 1,000") == ("11.5", f"8.5\u00a0{NONE}\u00a014.4")
    assert fact("In all, by the end")[0] == "about 516"
    assert [each.text for each in page().window] == ["Wed 18 Nov 09:00", "Wed 18 Nov 09:10"]
    assert (page().kicker, page(state=State.RUNNING).kicker) == ("Debrief", "Debrief, so far")


def test_what_may_as_well_be_zero_is_not_shown_as_a_number():
    doubtful = replace(JOINT, contacts=-11.0, low=-76.0, per_1000=-0.4, per_1000_low=-2.0, is_distinguishable=False)
    contacts = replace(DEBRIEF.contacts, headline=doubtful, joint=doubtful)
    assert fact("Contacts it brought", contacts=contacts) == (
        "not distinguishable from zero",
        f"{MINUS}76\u00a0{NONE}\u00a0405",
    )
    assert fact("Contacts per 1,000", contacts=contacts) == ("0", f"0.0\u00a0{NONE}\u00a014.4")
    assert "In all, by the end" not in {each.term for each in page(contacts=contacts).facts}


def test_what_is_not_known_is_said_to_be_so():
    contacts = Contacts(None, None, None, None, None, None, "not known")
    assert fact("Contacts it brought", contacts=contacts) == ("not known", "")
    assert page(contacts=contacts).estimates == ()
    silent = Tagged(0, 0, (), (), (), "not tagged")
    assert fact("Complaints", tagged=silent)[0] == "not tagged"
    queue = QueueLift("orders-voice", None, None, None, 0, "nothing is known")
    (row,) = page(queues=(queue,)).queues
    assert row.queue == "Orders"
    assert (row.offered, row.forecast, row.contacts, row.interval) == (NONE, NONE, NONE, "")


def test_complaints_are_counted_by_their_tag():
    assert fact("Complaints") == ("4", "contacts tagged so")
    assert page().reasons == (("complaint", "4"), ("no reason given", "5"))


SLAM = Slam(35.0, 60.0, 5.0, 25.0, (Limit(Metric.BACKLOG, 10.0, is_least=False),), ("orders-voice",), "35 minutes.")


def test_minutes_of_slam_avoided_stand_beside_what_they_are_told_from():
    assert fact("Minutes of slam avoided", slam=SLAM) == ("25", "35 past a limit, 60 all at once")
    assert [way.slam for way in page(slam=SLAM).ways] == ["35", NONE, "60", "5"]
    assert page(slam=SLAM).slam_said == "35 minutes. A queue counts as slammed with backlog above 10."


def test_where_they_cannot_be_told_no_minutes_are_claimed():
    assert fact("Minutes of slam avoided") == ("not known", "")
    nothing = replace(SLAM, measured_minutes=None, avoided_minutes=None)
    assert fact("Minutes of slam avoided", slam=nothing) == ("not known", "")
    doubtful = replace(JOINT, low=-76.0, is_distinguishable=False)
    contacts = replace(DEBRIEF.contacts, headline=doubtful, joint=doubtful)
    shown = fact("Minutes of slam avoided", slam=replace(SLAM, avoided_minutes=None), contacts=contacts)
    assert shown == ("not distinguishable from zero", "35 past a limit")


ASKED = Before(FIRST - timedelta(hours=5), FIRST - timedelta(minutes=25), FIRST, 240.0, is_briefed=True)


def test_how_it_came_to_go_is_told_in_sentences():
    assert fact("Delayed by its gate", before=ASKED) == ("25\u202fmin", "")
    announced, went, briefed = page(before=ASKED).before
    assert announced.startswith("Announced Wed 18 Nov 04:00, 4\u202fh 35\u202fmin before it was to go: ")
    assert announced.endswith("the 4\u202fh of notice that its gate asks for were kept.")
    assert went == "It was to go Wed 18 Nov 08:35; its gate gave the first permit Wed 18 Nov 09:00, 25\u202fmin later."
    assert briefed == "The contact center had acknowledged its briefing by then."


def test_what_did_not_happen_before_it_went_is_said_too():
    late = replace(ASKED, announced_at=FIRST, wanted_at=FIRST, is_briefed=False)
    announced, went, briefed = page(before=late).before
    assert announced.endswith("were not kept.")
    assert went.endswith(", at once.")
    assert briefed == "The contact center had not acknowledged its briefing by then."
    assert fact("Delayed by its gate", before=late) == ("not delayed", "")
    unknown = Before(None, None, FIRST, None, None)
    assert (page(before=unknown).before, fact("Delayed by its gate", before=unknown)[0]) == ((), "not known")
    plain = replace(ASKED, notice_minutes=0.0)
    assert page(before=plain).before[0].endswith("; its gate asks for no notice.")


def test_the_estimate_that_is_gone_by_is_marked():
    assert [(row.method, row.is_best) for row in page().estimates] == [
        ("by when its contacts should have come", True),
        ("beyond the forecast", False),
    ]


def test_each_way_has_its_figures_and_its_curve():
    shown = page()
    assert [(way.way, way.service_level, way.speed_to_answer) for way in shown.ways] == [
        ("Measured", "89.7\u202f%", "5.9\u202fs"),
        ("Calculated, as it was sent", "91\u202f%", "5\u202fs"),
        ("All at once", "50\u202f%", "38\u202fs"),
        ("Nothing sent", "98\u202f%", "0.6\u202fs"),
    ]
    assert [chart.title for chart in shown.charts] == ["Speed to answer", "Waiting at once"]
    assert "all at once up to 9" in shown.charts[0].described


def test_where_nothing_was_measured_the_calculated_course_stands_in_and_says_so():
    floor = replace(FLOOR, measured=telling(None, None, None, None))
    assert page(floor=floor).charts[0].curves[2].label == "calculated, as it was sent"
    assert page(floor=replace(FLOOR, at_once=None)).charts == ()


@pytest.mark.parametrize(
    ("pauses", "refusals", "said"),
    [(0, 0, "never paused; no ask held."), (1, 2, "1 pause by its gate or a person; 2 asks held or cut.")],
)
def test_how_it_was_let_go_is_told_in_words(pauses, refusals, said):
    release = replace(RELEASE, pauses=pauses, refusals=refusals)
    assert page(release=release).released == f"1 permit for 50,000 messages; {said}"


def test_waves_and_overrides_are_listed():
    waves = (WaveFact(1, FIRST, None, 100, 40, is_probe=True, ending=""),)
    override = OverrideFact("ovr_1", "allow", FIRST, FIRST + timedelta(hours=1), "Dana", "agreed", 3)
    shown = page(release=replace(RELEASE, waves=waves, overrides=(override,)))
    assert (shown.waves[0].number, shown.waves[0].sent, shown.waves[0].ending) == ("1, the probe", "40", "open")
    assert shown.overrides[0].what == "allowed sends, took part in 3 answers"
