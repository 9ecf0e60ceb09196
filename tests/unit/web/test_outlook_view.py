"""What the outlook says at a glance: how much, of what, when more, and never more than the gate itself lets go."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.core.floor.metric import Metric
from app.core.gate.decide import decide
from app.core.gate.decision import Decision, GateMemory, Verdict
from app.core.gate.foresight import Foresight, Portion, Predicted, Reinforcement, Room
from app.core.gate.policy import parse_policy
from app.core.permit.permit import Spent
from app.services.published import GateState
from app.web.format import NO_BREAK, THIN
from app.web.outlook.view import ANY_MAIL, Sending, headline
from app.web.outlook.words import Reader, against, broken, chance, expected, limits_in_words
from app.web.typed import NotRead, read_audience
from tests.support.floors import NOON, backlog_floor

CHICAGO = ZoneInfo("America/Chicago")  # noon is 06:00 there
POLICY: dict[str, Any] = {"queues": ["*"], "rules": [{"metric": "backlog", "hold_above": 10}], "time_zone": "UTC"}
DECIDES = POLICY | {"outlook": {"service_level_ratio": 0.8}}
SPRING = Sending("spring", "Spring sale", 500_000)
FALLS = Predicted(
    Metric.SERVICE_LEVEL_RATIO,
    "orders-voice",
    NOON + timedelta(minutes=20),
    NOON + timedelta(minutes=35),
    expected=0.78,
    limit=0.8,
    probability=0.14,
)
MORE = Portion(NOON + timedelta(minutes=20), 8_000), Portion(NOON + timedelta(minutes=35), 6_000)
ROOM = Room(25_000, 30.0, FALLS, MORE, (Reinforcement(1, 31_000), Reinforcement(4, 60_000)))
FORESIGHT = Foresight(
    NOON, given=100, breach_probability=0.02, rooms=(("", Room(9_000, 40.0, FALLS)), ("spring", ROOM))
)


def minutes(number: float):
    return NOON + timedelta(minutes=number)


def decided(backlog: int, document: dict[str, Any], foresight: Foresight | None) -> Decision:
    return decide(backlog_floor(backlog, at=NOON), parse_policy(document), GateMemory(), NOON, foresight=foresight)[0]


def a_state(foresight: Foresight | None = FORESIGHT, document=DECIDES, *, backlog: int = 3, given: int = 100, **caps):
    document = document | caps
    decision = decided(backlog, document, foresight)
    spent = Spent(given=given)
    return GateState("default", parse_policy(document), 7, decision, decision, spent=spent, foresight=foresight)


def a_reader(now=NOON, zone=CHICAGO) -> Reader:
    return Reader(now, zone, {"orders-voice": "Orders"})


def plain(text: str) -> str:
    return text.replace(THIN, " ").replace(NO_BREAK, " ").replace("\u2060", "")


def told(state: GateState, sending: Sending = SPRING, reader: Reader | None = None):
    said = headline(state, sending, reader or a_reader())
    return replace(said, sentences=tuple(map(plain, said.sentences)), notes=tuple(map(plain, said.notes)))


# --- what may go ------------------------------------------------------------------------------------------------------


def test_the_safe_amount_comes_first_then_what_may_follow_and_what_breaks():
    said = told(a_state())
    assert (said.lead, said.amount, said.whom) == ("Safe to send now", "25,000", "of Spring sale, 500,000 to go")
    assert said.state == "throttle"
    assert said.sentences == (
        "Then 8,000 from 06:20, 6,000 from 06:35.",
        "Likeliest to break with more: service level of Orders, 78 % at 06:20–06:35, limit 80 %.",  # noqa: RUF001
        "With 4 agents more, 60,000 would be safe now.",
    )
    assert said.notes == ("2 % chance that a limit breaks if nothing more is sent; 10 % is accepted.",)


def test_each_sender_has_a_room_of_its_own_and_unknown_ones_share_one():
    assert told(a_state(), ANY_MAIL).amount == "9,000"
    assert told(a_state(), ANY_MAIL).whom == ""
    assert told(a_state(), Sending("summer", "Summer", 70_000)).amount == "9,000"


def test_what_was_given_away_since_is_taken_off():
    assert told(a_state(given=1_100)).amount == "22,222"  # each as if it were mail of the most demanding kind
    assert told(a_state(given=200_000)).amount == "nothing"


def test_a_campaign_that_is_safe_as_a_whole_is_said_to_be():
    said = told(a_state(), Sending("spring", "Spring sale", 20_000))
    assert (said.amount, said.state) == ("all 20,000", "send")


def test_mail_that_breaks_nothing_may_go_in_any_number():
    free = replace(FORESIGHT, rooms=(("", Room(100_000_000, 0.0)),))
    said = told(a_state(free), ANY_MAIL)
    assert (said.amount, said.state, said.sentences) == ("any number", "send", ())


def test_many_portions_are_summed_up():
    later = (*MORE, Portion(minutes(50), 6_000), Portion(minutes(13 * 60), 5_000))
    said = told(a_state(replace(FORESIGHT, rooms=(("", replace(ROOM, next_portions=later)),))))
    assert said.sentences[0] == "Then 8,000 from 06:20, 6,000 from 06:35; 25,000 more in all by 19:00."


def test_portions_whose_time_has_come_are_not_announced_any_more():
    said = told(a_state(), reader=a_reader(minutes(1.9)))
    assert said.sentences[0].startswith("Then 8,000 from 06:20")
    gone = replace(FORESIGHT, at=minutes(30), rooms=(("", ROOM),))
    assert told(a_state(gone), reader=a_reader(minutes(30))).sentences[0] == "Then 6,000 from 06:35."


# --- what may not -----------------------------------------------------------------------------------------------------


def test_a_held_gate_never_shows_an_amount_as_safe():
    said = told(a_state(backlog=40))
    assert a_state(backlog=40).decision.verdict is Verdict.HOLD
    assert (said.state, said.lead) == ("hold", "Held now; safe by the outlook alone")
    assert said.amount == "25,000"


def test_a_gate_that_cannot_tell_is_not_shown_as_open():
    state = a_state()
    blind = state._replace(decision=replace(state.decision, verdict=Verdict.UNKNOWN))
    assert told(blind).state == "unknown"
    assert told(blind).lead == "The gate cannot tell now; safe by the outlook alone"


def test_where_a_limit_breaks_anyway_nothing_is_safe_and_it_says_so():
    rooms = (("", Room(0, 40.0, FALLS, (Portion(minutes(90), 12_000),))),)
    bad = replace(FORESIGHT, breach_probability=0.34, breaks=FALLS, rooms=rooms)
    said = told(a_state(bad))
    assert (said.lead, said.amount, said.state) == ("Safe to send now", "nothing", "hold")
    assert said.sentences[0] == "The first 12,000 may go from 07:30."
    assert said.sentences[1].startswith("Likeliest to break even if nothing is sent: service level of Orders")
    assert said.notes[0].startswith("34 % chance")


def test_a_cap_of_the_policy_is_said_where_it_leaves_less():
    said = told(a_state(max_audience_per_wave=2_000))
    assert "The policy's max_audience_per_wave leaves 2,000 of that for now." in said.sentences
    assert not any("max_audience" in sentence for sentence in told(a_state(max_audience_per_wave=90_000)).sentences)


def test_a_gate_whose_policy_has_no_outlook_says_that_it_does_not_decide():
    said = told(a_state(document=POLICY))
    assert said.amount == "25,000"
    assert said.notes[1].startswith("It does not decide here")


# --- what is not known ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "lead", "why"),
    [
        (a_state()._replace(policy=None), "There is no outlook", "The gate has no policy, so nothing is foreseen."),
        (a_state(None), "There is no outlook yet", "The first one is made within a minute."),
        (
            a_state(replace(FORESIGHT, unknown="orders-voice: nobody says how many are waiting")),
            "Not known what is safe",
            "Orders: nobody says how many are waiting.",
        ),
        (a_state(replace(FORESIGHT, rooms=())), "Not known what is safe", "No send was reckoned with."),
    ],
)
def test_what_is_not_known_has_a_reason_and_no_number(state, lead, why):
    said = told(state)
    assert (said.state, said.lead, said.sentences) == ("unknown", lead, (why,))
    assert (said.amount, said.whom) == ("", "")


def test_an_outlook_is_dead_when_its_two_minutes_are_over():
    fresh, old = (told(a_state(), reader=a_reader(minutes(number))) for number in (1.99, 2))
    assert (fresh.is_dead, old.is_dead) == (False, True)
    assert (old.at_text, plain(old.age), plain(old.good_for)) == ("06:00:00", "2 min", "2 min")
    assert old.good_until == "2026-11-23T12:02:00Z"


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("probability", "said"),
    [
        (0.0, "less than 1 %"),
        (0.0049, "less than 1 %"),
        (0.01, "1 %"),
        (0.103, "10.3 %"),  # more than is accepted, so it must not read like it
        (0.1, "10 %"),
        (0.097, "10 %"),
        (0.34, "34 %"),
        (0.994, "99 %"),
        (1.0, "more than 99 %"),
        (float("nan"), "an unknown chance"),
    ],
)
def test_chances_promise_nothing_that_nobody_knows(probability, said):
    assert plain(chance(probability, 0.1)) == said


def test_a_value_past_its_limit_never_reads_like_the_limit():
    assert plain("|".join(against(0.7999, 0.8, "ratio"))) == "79.99 %|80 %"
    assert plain("|".join(against(0.78, 0.8, "ratio"))) == "78 %|80 %"


@pytest.mark.parametrize(
    ("value", "unit", "said"),
    [
        (0.7461, "ratio", "75 %"),
        (521.6, "contacts", "522"),
        (3.46, "contacts", "3.5"),
        (71.9, "seconds", "1 min 11 s"),
        (None, "ratio", "–"),  # noqa: RUF001 -- the dash for nothing
    ],
)
def test_predictions_are_no_closer_than_they_can_be_known(value, unit, said):
    assert plain(expected(value, unit)) == said


def test_what_breaks_is_said_by_metric_queue_value_time_and_limit():
    reader = a_reader(zone=ZoneInfo("UTC"))
    backlog = replace(FALLS, metric=Metric.BACKLOG, expected=None, limit=10.0)
    assert plain(broken(backlog, reader)) == "backlog of Orders, more than 10 waiting at 12:20–12:35"  # noqa: RUF001
    nobody = replace(FALLS, metric=Metric.SPEED_TO_ANSWER_SECONDS, expected=None, limit=30.0)
    assert plain(broken(nobody, reader)) == "speed to answer of Orders, nobody answers at 12:20–12:35"  # noqa: RUF001


def test_times_on_another_day_name_it():
    reader = a_reader()
    assert plain(reader.minute(minutes(20 * 60))) == "Tue 02:00"
    assert plain(reader.span(minutes(-60 * 7), minutes(-60 * 6))) == "Sun 23:00–00:00"  # noqa: RUF001


def test_limits_are_sentences():
    limits = parse_policy(DECIDES | {"outlook": {"service_level_ratio": 0.8, "backlog": 12}}).outlook
    assert limits is not None
    assert [plain(each) for each in limits_in_words(limits)] == [
        "Service level: at least 80 % answered within 20 s, in every 15 min.",
        "Backlog: at most 12 waiting at any time.",
        "Of every queue, for the next 3 h; the chance that any of it breaks may be 10 %.",
    ]


@pytest.mark.parametrize(
    ("typed", "audience"),
    [
        ("", None),
        ("  ", None),
        ("25000", 25_000),
        ("25,000", 25_000),
        (" 1 000 000 ", 1_000_000),
        ("1.500", 1_500),
        ("7", 7),
    ],
)
def test_an_audience_is_read_as_people_write_it(typed, audience):
    assert read_audience(typed) == audience


@pytest.mark.parametrize("typed", ["0", "1.5", "abc", "-5", "1,00", "1e6", "٢٥", "9" * 21, "2000000000", "25,000,"])
def test_what_is_no_audience_is_refused_with_what_is(typed):
    with pytest.raises(NotRead, match="recipients"):
        read_audience(typed)
