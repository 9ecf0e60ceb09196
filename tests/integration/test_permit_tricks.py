"""Every trick by which one headroom could be spent twice: none works, whatever the sender means by it."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.core.campaign.machine import CampaignStep
from tests.support.campaigning import KIM, announce
from tests.support.permit_house import House

CAP = 100


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    opened = House(tmp_path)
    opened.run(opened.whole.quiet())
    opened.save_policy({"max_audience_per_hour": CAP})
    opened.evaluate()
    yield opened
    opened.close()


def take(house: House, audience: int = CAP, sender: int = 0, key: str | None = None, **more: object):
    return house.ask(sender, {"gate": "default", "audience": audience, **more}, key)


def given(house: House, audience: int = CAP, **more: Any) -> str:
    response = take(house, audience, **more)
    assert response.status_code == 200, response.text
    return str(response.json()["permit_id"])


def pass_time(house: House, seconds: float) -> None:
    house.clock.move(seconds + 0.001)  # a source says nothing twice of one instant
    house.evaluate()
    house.run(house.whole.quiet())
    house.evaluate()


def check_spent(house: House) -> None:
    for more in ({}, {"accept_partial": True}, {"ttl_seconds": 10}, {"campaign": "another"}, {"key": "another"}):
        assert take(house, 1, **more).status_code == 429, more
    house.evaluate()
    assert house.get("/readiness?audience=1").status_code == 429


def test_a_clock_set_back_gives_nothing_back(house):
    permit = given(house)
    assert house.step(permit, "report", {"sent": CAP}).is_success
    for seconds in (-30, -3_700, -7_300):
        pass_time(house, seconds)
        check_spent(house)


def test_a_clock_that_ran_ahead_and_was_set_right_gives_nothing_twice(house):
    given(house)
    pass_time(house, 3_600)
    permit = given(house)
    assert house.step(permit, "report", {"sent": CAP}).is_success
    pass_time(house, -3_600)
    check_spent(house)


def test_a_restart_forgets_nothing_even_when_the_clock_was_wrong_meanwhile(house):
    assert house.step(given(house), "report", {"sent": CAP}).is_success
    house.clock.move(7_200)
    house.restart()
    pass_time(house, -7_000)
    check_spent(house)


def test_what_was_reported_counts_for_a_whole_hour_however_the_minutes_fall(house):
    house.clock.move(59.9)
    pass_time(house, 0.09)
    assert house.step(given(house), "report", {"sent": CAP}).is_success
    pass_time(house, 3_599)
    check_spent(house)
    pass_time(house, 121)
    given(house)


@pytest.mark.parametrize("part", [0.5, 1.0])
def test_reports_that_shrink_repeat_or_are_negative_free_nothing(house, part):
    permit = given(house)
    reported = round(CAP * part)
    for sent in (reported, 0, reported, 1, -CAP, reported):
        house.step(permit, "report", {"sent": sent})
    assert house.get(f"/permits/{permit}").json()["sent"] == reported
    check_spent(house)


def test_more_than_allowed_reported_takes_from_those_who_come_next(house):
    permit = given(house, 10)
    assert house.step(permit, "report", {"sent": CAP}).is_success
    check_spent(house)


def test_renewing_over_and_over_charges_once_and_never_frees(house):
    permit = given(house, ttl_seconds=10)
    for _ in range(5):
        assert house.step(permit, "renew", {"ttl_seconds": 10}).is_success
        pass_time(house, 9)
        check_spent(house)
    assert house.stored_sums().outstanding == CAP


def test_a_permit_whose_time_is_over_cannot_be_renewed_beside_its_successor(house):
    first = given(house, ttl_seconds=10)
    house.clock.move(10)
    second = given(house)
    assert house.step(first, "renew").status_code == 409
    house.clock.move(-5)
    assert house.step(first, "renew").status_code == 409
    assert house.get(f"/permits/{first}").json()["must_stop"] is True
    assert house.get(f"/permits/{second}").json()["must_stop"] is False


def test_what_was_sent_and_reported_after_the_end_counts_still(house):
    permit = given(house, ttl_seconds=10)
    pass_time(house, 11)
    assert house.step(permit, "report", {"sent": CAP}).is_success
    check_spent(house)


def test_a_released_permit_gives_back_only_what_was_not_sent_and_only_once(house):
    permit = given(house)
    assert house.step(permit, "report", {"sent": 60}).is_success
    assert house.step(permit, "release").is_success
    assert house.step(permit, "release").status_code == 409
    assert take(house, 41).status_code == 429
    given(house, 40)
    check_spent(house)


def test_names_that_only_look_alike_share_the_gate(house):
    for name in ("fr\u00fchling", "fru\u0308hling", "spring", "Spring", "spr\u0456ng"):
        given(house, CAP // 5, campaign=name)
    check_spent(house)


@pytest.mark.parametrize(
    "again",
    ["key", '"key"', '  "key" '],
    ids=["bare", "quoted", "padded"],
)
def test_one_key_in_any_dress_is_one_permit(house, again):
    first = take(house, 60, key="key")
    second = take(house, 60, key=again)
    assert second.content == first.content
    assert take(house, 41).status_code == 429


def test_the_same_key_of_another_sender_is_another_ask(house):
    first, second = take(house, 60, key="key"), take(house, 40, sender=1, key="key")
    assert first.json()["permit_id"] != second.json()["permit_id"]
    check_spent(house)


def test_a_repeat_after_a_restart_a_report_and_a_release_is_never_a_second_go(house):
    permit = take(house, key="key")
    house.restart()
    house.evaluate()
    assert take(house, key="key").content == permit.content
    permit_id = permit.json()["permit_id"]
    assert house.step(permit_id, "report", {"sent": 30}).is_success
    assert take(house, key="key").content == permit.content
    assert house.step(permit_id, "release").is_success
    assert take(house, key="key").status_code == 409
    house.restart()
    house.evaluate()
    assert take(house, key="key").status_code == 409


def test_a_repeat_says_hold_while_the_gate_is_shut_and_while_the_permit_is_paused(house):
    take(house, key="key")
    house.clock.move(1)
    house.run(house.whole.slam())
    assert take(house, key="key").status_code == 429  # before anything was written down
    house.evaluate()
    pass_time(house, 1)
    answer = take(house, key="key")
    assert (answer.status_code, answer.json()["reasons"][0]["code"]) == (429, "permit_paused")


def test_what_a_watching_gate_let_go_counts_once_it_enforces(house):
    house.run(house.whole.policy(max_audience_per_hour=CAP, mode="shadow"))
    given(house, 70)
    given(house, 70)
    house.run(house.whole.policy(max_audience_per_hour=CAP, mode="enforce"))
    check_spent(house)
    house.restart()
    house.evaluate()
    check_spent(house)


def test_a_dry_run_reserves_nothing_and_says_so(house):
    for _ in range(3):
        rehearsed = take(house, dry_run=True, key="key")
        assert rehearsed.status_code == 200
        assert rehearsed.json()["dry_run"] is True
        assert "permit_id" not in rehearsed.json()
    assert house.rows() == {}
    given(house)


def test_a_policy_saved_while_permits_live_gives_no_room_twice(house):
    given(house)
    for members in ({"max_audience_per_hour": CAP}, {"max_audience_per_wave": CAP, "max_audience_per_hour": CAP}):
        house.save_policy(members)
        check_spent(house)
    house.save_policy({"max_audience_per_hour": CAP + 1})
    house.evaluate()
    given(house, 1)
    check_spent(house)


def test_no_cache_on_the_way_may_keep_a_go(house):
    answer = take(house, 1)
    assert answer.headers["cache-control"] == "no-store"
    assert house.get(f"/permits/{answer.json()['permit_id']}").headers["cache-control"] == "no-store"
    assert house.get("/readiness?audience=1").headers["cache-control"] == "no-store"


def test_a_gate_deleted_and_made_again_remembers_what_it_gave(house):
    async def make() -> None:
        await house.whole.services.gates.create("other")
        await house.whole.policy("other", max_audience_per_hour=CAP)

    async def delete() -> None:
        await house.whole.services.gates.delete("other")
        await house.whole.evaluate()

    house.run(make())
    first = house.ask(0, {"gate": "other", "audience": CAP})
    assert first.status_code == 200
    house.run(delete())
    assert house.get(f"/permits/{first.json()['permit_id']}").json()["must_stop"] is True
    house.run(make())
    assert house.ask(0, {"gate": "other", "audience": 1}).status_code == 429


def test_a_campaign_is_never_granted_more_than_its_audience_however_many_ask_at_once(house):
    house.run(announce(house.whole, "spring", audience=CAP))
    house.save_policy({})
    house.evaluate()

    async def shoot(key: str, *, partial: bool) -> int:
        body = {"audience": 30, "campaign": "spring", "accept_partial": partial}
        response = await house.asking(0, body, key)
        return int(response.json()["allow"]) if response.status_code == 200 else 0

    async def all_at_once() -> list[int]:
        return await asyncio.gather(*(shoot(f"key-{number}", partial=number > 8) for number in range(16)))

    assert sum(house.run(all_at_once())) == CAP
    permits = list(house.rows().values())
    assert house.step(permits[0].id, "report", {"sent": permits[0].allowed}).is_success
    assert take(house, 1, campaign="spring").status_code == 429
    assert house.step(permits[1].id, "release").is_success
    given(house, permits[1].allowed, campaign="spring")
    assert take(house, 1, campaign="spring", accept_partial=True).status_code == 429


def test_a_campaign_that_a_person_paused_lets_nothing_go_by_any_way_back(house):
    house.run(announce(house.whole, "spring", audience=CAP))
    house.evaluate()
    permit = given(house, 10, campaign="spring", key="key")
    house.run(house.whole.services.campaigns.take("spring", CampaignStep.PAUSE, KIM))
    house.evaluate()
    assert house.get(f"/permits/{permit}").json()["must_stop"] is True
    assert take(house, 10, campaign="spring", key="key").status_code == 429
    assert take(house, 10, campaign="spring", key="another").status_code == 429
    assert house.step(permit, "renew").status_code == 429


def test_an_evaluator_that_is_behind_gives_nothing_and_stops_what_it_gave(house, monkeypatch):
    permit = given(house, 10)
    with monkeypatch.context() as stopwatch:
        stopwatch.setattr(house.whole.services.answering, "_monotonic", lambda: time.monotonic() + 6)
        refused = take(house, 10, key="key")
        assert (refused.status_code, refused.json()["reasons"][0]["code"]) == (503, "data_evaluation_late")
        assert house.step(permit, "renew").status_code == 503
        assert house.get(f"/permits/{permit}").json()["must_stop"] is True
    assert set(house.rows()) == {permit}
    first = take(house, 10, key="key")
    assert first.status_code == 200
    assert take(house, 10, key="key").content == first.content
    assert len(house.rows()) == 2


def test_events_tell_of_each_change_once(house):
    permit = given(house)
    for sent in (10, 10, 5, 40):
        house.step(permit, "report", {"sent": sent})
    house.step(permit, "release")
    kinds = house.told_of_permits([permit])[permit]
    assert kinds == ["permit.granted", "permit.reported", "permit.reported", "permit.released"]
