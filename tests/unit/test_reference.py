"""The judge of the fault tests sees each kind of wrong, and nothing wrong in a course of things that is right."""

from dataclasses import replace
from typing import Any

import pytest

from tests.support.found import Found, Kept
from tests.support.reference import SECOND, faults
from tests.support.told import Answer, Granted, Told, micros

T = micros("2026-11-22T12:00:00Z")
STALE_US = 10 * SECOND
POLICY: dict[str, Any] = {
    "queues": ["orders-*"],
    "stale_after_seconds": 10,
    "rules": [{"metric": "backlog", "hold_above": 5}, {"metric": "service_level_ratio", "hold_below": 0.8}],
    "max_audience_per_wave": 100,
    "max_audience_per_hour": 150,
}
GOOD = {"backlog": 2, "service_level_ratio": 0.9}


def text(at_us: int) -> str:
    seconds, rest = divmod(at_us - T, SECOND)
    return f"2026-11-22T12:{seconds // 60:02d}:{seconds % 60:02d}.{rest:06d}Z"


def kept(position: int, at_us: int, queue: str = "orders-voice", **values: float) -> Kept:
    return Kept(position, at_us, "acd", queue, at_us, values or GOOD)


def a_go(at_us: int, **members: Any) -> Answer:
    body = {
        "state": "send",
        "decision_id": "dec_1",
        "gate": "default",
        "policy_version": 1,
        "evaluated_at": text(at_us),
        "valid_until": text(at_us + 30 * SECOND),
        "override": None,
        "reasons": [],
    }
    return Answer(at_us, at_us + SECOND // 100, body | members)


def a_permit(number: int, allowed: int, at_us: int, **members: Any) -> dict[str, Any]:
    named = {"id": f"prm_{number}", "gate": "default", "allowed": allowed, "granted_at": at_us}
    return named | {"state": "active", "wave": None, "decision_id": "dec_1"} | members


def of_permit(seq: int, number: int, allowed: int, at_us: int, kind: str = "granted", **after: Any) -> dict[str, Any]:
    until = text(at_us + 600 * SECOND)
    side = {"state": "active", "allow": allowed, "sent": 0, "expires_at": until, "decision_id": "dec_1"} | after
    named = {"seq": seq, "type": f"permit.{kind}", "at": at_us, "gate": "default", "subject": f"permit/prm_{number}"}
    return named | {"before": None, "after": side}


def logged(**members: Any) -> dict[str, Any]:
    row = {"id": "dec_1", "kind": "asked", "gate": "default", "at": T + SECOND, "verdict": "send"}
    return row | {"policy_version": 1, "reasons": [], "override_id": None, "last_at": T + SECOND} | members


def a_found(**members: Any) -> Found:
    """Return a floor of one queue in good order, and a permit of 60 messages."""
    found = Found(
        observations=[kept(1, T)],
        policies={("default", 1): {"document": POLICY}},
        decisions={"dec_1": logged()},
        permits={"prm_1": a_permit(1, 60, T + SECOND)},
        repeats={"key": "prm_1"},
        events=[of_permit(1, 1, 60, T + SECOND)],
    )
    return replace(found, **members)


def a_told(*answers: Answer, **members: Any) -> Told:
    told = Told(
        observations={("acd", "orders-voice", T): T + 1_000},
        answers=[*answers] or [a_go(T + SECOND)],
        granted={"key": {Granted("prm_1", 60)}},
        keys={"key"},
        policies={("default", 1): T - 60 * SECOND},
    )
    return replace(told, **members)


def test_a_course_of_things_that_is_right_has_no_fault():
    assert faults(a_found(), a_told()) == []


def test_an_observation_that_was_acknowledged_and_is_not_there_is_lost():
    (fault,) = faults(a_found(), a_told(observations={("acd", "orders-mail", T): T + 1_000}))
    assert fault.endswith("was acknowledged and is lost")


def test_an_observation_that_is_there_twice_is_doubled():
    twice = [kept(1, T), kept(2, T)]
    (fault,) = faults(a_found(observations=twice), a_told())
    assert "is there 2 times" in fault


def test_two_observations_never_share_a_position():
    beside = [kept(1, T), kept(1, T, "orders-mail")]
    (fault,) = faults(a_found(observations=beside), a_told())
    assert fault == "two observations have one position"


def test_a_policy_and_an_override_that_were_acknowledged_must_be_there():
    told = a_told(policies={("default", 2): T}, overrides={"ovr_1": T})
    found = sorted(faults(a_found(), told))
    assert [fault.rpartition(" ")[2] for fault in found] == ["lost", "lost"]


@pytest.mark.parametrize(
    ("members", "granted", "sentence"),
    [
        ({"permits": {}, "events": []}, {Granted("prm_1", 60)}, "acknowledged to 'key' and is lost"),
        ({}, {Granted("prm_1", 61)}, "was told as 61 and is 60"),
        ({"repeats": {"key": "prm_2"}}, {Granted("prm_1", 60)}, "a repeat would be told of prm_2"),
        ({"repeats": {}}, {Granted("prm_1", 60)}, "was given under no key"),
        ({"events": []}, {Granted("prm_1", 60)}, "has 0 events of its grant"),
        ({}, {Granted("prm_1", 60), Granted("prm_2", 60)}, "was told of more than one permit"),
        ({"permits": {}, "repeats": {}}, set(), "was granted, says an event, and is not there"),
        ({"events": [of_permit(2, 1, 60, T)]}, {Granted("prm_1", 60)}, "not numbered from 1 without holes"),
    ],
    ids=["lost", "changed", "repeat", "keyless", "eventless", "doubled", "permitless", "hole"],
)
def test_a_permit_that_is_lost_doubled_or_given_to_nobody_is_seen(members, granted, sentence):
    found = faults(a_found(**members), a_told(granted={"key": granted}))
    assert any(sentence in fault for fault in found), found


def test_a_permit_that_was_withdrawn_before_anybody_heard_of_it_is_no_fault():
    permits = {"prm_1": a_permit(1, 60, T + SECOND, state="revoked")}
    assert faults(a_found(permits=permits, repeats={}), a_told(granted={})) == []


def two_permits(second: int, *between: dict[str, Any], at_us: int = T + 20 * SECOND) -> Found:
    events = [of_permit(1, 1, 60, T + SECOND), *between, of_permit(2 + len(between), 2, second, at_us)]
    permits = {"prm_1": a_permit(1, 60, T + SECOND), "prm_2": a_permit(2, second, at_us)}
    return a_found(permits=permits, events=events, repeats={"key": "prm_1", "other": "prm_2"})


def test_more_out_at_once_than_a_wave_allows_is_seen():
    (fault,) = faults(two_permits(41), a_told())
    assert fault == "with permit/prm_2 101 were out, more than max_audience_per_wave 100"
    assert faults(two_permits(40), a_told()) == []


def test_what_came_back_or_expired_is_out_no_more():
    released = of_permit(2, 1, 60, T + 10 * SECOND, "released", state="released")
    assert faults(two_permits(90, released), a_told()) == []
    assert faults(two_permits(90, at_us=T + 602 * SECOND), a_told()) == []


def test_what_was_sent_counts_for_an_hour():
    used = of_permit(2, 1, 60, T + 10 * SECOND, "used", state="used", sent=60)
    assert faults(two_permits(90, used), a_told()) == []
    (fault,) = faults(two_permits(91, used), a_told())
    assert fault == "with permit/prm_2 151 were out, more than max_audience_per_hour 150"


# --- goes ---


def of_readings(*observations: Kept, **members: Any) -> Found:
    return a_found(observations=observations, decisions={}, permits={}, repeats={}, events=[], **members)


def heard(found: Found, *answers: Answer, **members: Any) -> list[str]:
    acknowledged = {(each.source, each.queue, each.observed_us): each.received_us for each in found.observations}
    return faults(found, a_told(*answers, observations=acknowledged, granted={}, keys=set(), **members))


def test_a_go_on_stale_data_is_seen_to_the_microsecond():
    found = of_readings(kept(1, T))
    assert heard(found, a_go(T + STALE_US - 1)) == []
    assert len(heard(found, a_go(T + STALE_US))) == 2  # both metrics


def test_a_go_without_a_metric_or_a_queue_is_seen():
    (missing,) = heard(of_readings(kept(1, T, backlog=1)), a_go(T + 5 * SECOND))
    assert "nothing was ever reported of orders-voice's service_level_ratio" in missing
    (unmatched,) = heard(of_readings(kept(1, T, "billing")), a_go(T + 5 * SECOND))
    assert "no queue was ever reported that is 'orders-*'" in unmatched


def test_a_go_that_overlooks_one_queue_of_many_is_seen():
    found = of_readings(kept(1, T - 20 * SECOND, "orders-mail"), kept(2, T), kept(3, T, "billing"))
    assert all("orders-mail" in fault for fault in heard(found, a_go(T + 5 * SECOND)))
    assert len(heard(found, a_go(T + 5 * SECOND))) == 2


def test_a_go_past_a_limit_is_seen_once_the_bad_news_had_time_to_arrive():
    found = of_readings(kept(1, T), kept(2, T + SECOND, backlog=6, service_level_ratio=0.9))
    assert heard(found, a_go(T + 2 * SECOND)) == []
    (fault,) = heard(found, a_go(T + 4 * SECOND))
    assert "orders-voice's backlog was 6, past its limit" in fault


def test_a_limit_that_may_be_passed_for_a_while_may_be():
    patient = POLICY | {"rules": [{"metric": "backlog", "hold_above": 5, "hold_for_seconds": 5}]}
    found = of_readings(kept(1, T), kept(2, T + SECOND, backlog=6), policies={("default", 1): {"document": patient}})
    assert heard(found, a_go(T + 7 * SECOND)) == []
    (fault,) = heard(found, a_go(T + 9 * SECOND))
    assert "past its limit" in fault


def test_what_nobody_heard_the_acknowledgement_of_may_be_in_or_not():
    found = of_readings(kept(1, T), kept(2, T + SECOND, backlog=6, service_level_ratio=0.9))
    told = a_told(a_go(T + 5 * SECOND), observations={("acd", "orders-voice", T): T}, granted={}, keys=set())
    assert faults(found, told) == []


def test_a_reading_that_came_later_makes_no_go_right():
    found = of_readings(kept(1, T), kept(2, T + 30 * SECOND))
    assert len(heard(found, a_go(T + 20 * SECOND))) == 2


def test_a_reading_dated_ahead_is_fresh_from_when_it_came():
    ahead = Kept(1, T, "acd", "orders-voice", T + 60 * SECOND, GOOD)
    assert heard(of_readings(ahead), a_go(T + 9 * SECOND)) == []
    assert heard(of_readings(ahead), a_go(T + 11 * SECOND)) != []


def test_a_go_given_after_its_end_or_long_after_its_evaluation_is_seen():
    found = of_readings(kept(1, T))
    late = a_go(T + SECOND, valid_until=text(T + SECOND - 1_000))
    assert ["after it had ended" in fault for fault in heard(found, late)] == [True]
    old = a_go(T + SECOND)._replace(asked_us=T + 15 * SECOND)
    assert ["long ago" in fault for fault in heard(found, old)] == [True]


def test_a_go_by_a_policy_that_had_been_replaced_is_seen():
    found = of_readings(kept(1, T), policies={("default", 1): {"document": POLICY}, ("default", 2): {}})
    (fault,) = heard(found, a_go(T + 5 * SECOND), policies={("default", 2): T})
    assert "had been replaced by 2" in fault
    assert heard(found, a_go(T + SECOND), policies={("default", 2): T}) == []


def an_override(effect: str, *, even_without_data: bool = False) -> dict[str, dict[str, Any]]:
    row = {"gate": "default", "effect": effect, "matchers": [], "starts_at": T, "ends_at": T + 60 * SECOND}
    return {"ovr_1": row | {"closed_at": None, "even_without_data": even_without_data}}


def test_a_go_while_somebody_holds_by_hand_is_seen():
    found = of_readings(kept(1, T), overrides=an_override("hold"))
    (fault,) = heard(found, a_go(T + 5 * SECOND), overrides={"ovr_1": T})
    assert "ovr_1 held the gate" in fault


def test_an_override_lifts_limits_and_missing_data_only_when_it_says_so():
    slammed = kept(1, T, backlog=50, service_level_ratio=0.9)
    by_hand = {"override": {"id": "ovr_1"}}
    allowing = of_readings(slammed, overrides=an_override("allow"))
    assert heard(allowing, a_go(T + 5 * SECOND, **by_hand)) == []
    assert len(heard(allowing, a_go(T + 11 * SECOND, **by_hand))) == 2
    blindly = of_readings(slammed, overrides=an_override("allow", even_without_data=True))
    assert heard(blindly, a_go(T + 11 * SECOND, **by_hand)) == []


def test_goes_in_the_log_are_judged_when_they_were_made_and_when_they_were_given_last():
    told = Told(observations={("acd", "orders-voice", T): T})
    found = of_readings(kept(1, T))
    assert faults(replace(found, decisions={"dec_1": logged()}), told) == []
    repeated = {"dec_1": logged(last_at=T + 12 * SECOND)}
    assert ["in the log, last" in fault for fault in faults(replace(found, decisions=repeated), told)] == [True] * 2
    turned = {"dec_1": logged(kind="transition", at=T + 12 * SECOND, last_at=None)}
    assert ["stale" in fault for fault in faults(replace(found, decisions=turned), told)] == [True] * 2
    held = {"dec_1": logged(verdict="hold", at=T + 12 * SECOND)}
    assert faults(replace(found, decisions=held), told) == []
