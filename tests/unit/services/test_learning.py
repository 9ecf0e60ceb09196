"""What is believed of the next campaign, from lessons kept in a dictionary."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import numpy as np
import pytest

from app.computing import InProcess
from app.core.campaign.campaign import Campaign
from app.core.debrief.lesson import Lags, Lesson, QueueContacts
from app.core.event import Event
from app.core.forecast.kernel import log_logistic_kernel
from app.core.forecast.learn import prior_rate
from app.ports.learning import KeptDebrief, Lift
from app.services.learning import Learning
from tests.support.builders import NOW, after
from tests.support.memory import SteppedClock

OFFER = Campaign("spring", "Spring", "default", 1_000, "ann", NOW, kind="offer")
LESSON = Lesson("past", "offer", NOW, 12.0, 1.0, (), None, ())


class Kept:
    """The DebriefStore port in a list."""

    def __init__(self, *lessons: Lesson) -> None:
        self.kept = list(lessons)

    async def save_debrief(self, kept: KeptDebrief, event: Event) -> bool:
        raise NotImplementedError

    async def debrief(self, campaign_id: str) -> KeptDebrief | None:
        raise NotImplementedError

    async def debriefed(self) -> set[str]:
        return {lesson.campaign for lesson in self.kept}

    async def lessons(self) -> Sequence[Mapping[str, object]]:
        return [msgspec.to_builtins(lesson) for lesson in self.kept]

    async def lifts(self, since: datetime) -> Sequence[Lift]:
        known = [lesson for lesson in self.kept if lesson.ended_at >= since]
        return [Lift(each.campaign, *(lift.queue, lift.start, lift.contacts)) for each in known for lift in each.lifts]


async def learned(*lessons: Lesson) -> Learning:
    learning = Learning(Kept(*lessons), InProcess(), SteppedClock(NOW))
    await learning.load()
    return learning


async def test_without_any_past_campaign_the_kind_or_what_people_said_is_believed():
    learning = await learned()
    assert learning.rate_for(OFFER) == prior_rate("offer")
    assert learning.rate_for(None) == prior_rate(None)
    said = replace(OFFER, contacts_per_1000=8.0)
    assert learning.rate_for(said) == prior_rate("offer", 8.0)
    assert learning.said_of(said) == "as its plan says"


async def test_past_campaigns_of_the_kind_move_the_belief_and_narrow_it():
    one = await learned(LESSON)
    many = await learned(*(replace(LESSON, campaign=f"past-{n}", per_1000=12.0 + n) for n in range(5)))
    assert 5 < one.rate_for(OFFER).mean < 12.5
    assert many.rate_for(OFFER).mean == pytest.approx(14, abs=1)
    assert many.rate_for(OFFER).sd < one.rate_for(OFFER).sd < prior_rate("offer").sd
    assert "5 past campaigns, 5 of them of kind 'offer'" in many.said_of(OFFER)


async def test_mail_of_a_kind_is_believed_in_like_a_campaign_of_that_kind():
    learning = await learned(LESSON)
    assert learning.rate_of_kind("offer") == learning.rate_for(OFFER)
    assert learning.rate_of_kind("price_change").mean > 2 * learning.rate_of_kind("offer").mean
    assert learning.said_of_kind("offer").endswith("1 past campaign, 1 of them of kind 'offer'")
    volumes = {"orders-voice": 30.0, "billing": 10.0}
    assert learning.mix_of_kind("offer", {}, volumes) == learning.mix_for(OFFER, volumes)


async def test_kinds_are_those_with_a_prior_and_those_that_were_sent_each_once():
    learning = await learned(replace(LESSON, kind="Price change"), replace(LESSON, campaign="b", kind="loyalty"))
    assert learning.kinds() == (
        *("Price change", "loyalty", "newsletter", "offer", "order_notice"),
        *("policy_change", "service_notice"),
    )


async def test_a_lesson_that_could_not_tell_teaches_no_rate():
    assert (await learned(replace(LESSON, per_1000=None, sd=None))).rate_for(OFFER) == prior_rate("offer")


async def test_what_a_campaign_shows_while_it_runs_counts_for_itself_alone():
    learning = await learned()
    learning.watch(replace(LESSON, campaign="spring", per_1000=20.0, sd=2.0))
    assert learning.rate_for(OFFER).mean == pytest.approx(20, abs=3)
    assert learning.rate_before(OFFER) == prior_rate("offer")
    assert learning.rate_for(replace(OFFER, id="summer")) == prior_rate("offer")
    learning.forget("spring")
    assert learning.rate_for(OFFER) == prior_rate("offer")


async def test_what_was_seen_below_nothing_is_never_believed_to_be_nothing():
    learning = await learned()
    learning.watch(replace(LESSON, campaign="spring", per_1000=-9.0, sd=1.0))
    assert learning.rate_for(OFFER).mean > 0


async def test_queues_are_those_given_or_their_volumes_until_tags_tell_better():
    learning = await learned(replace(LESSON, mix=(("billing", 900), ("closed-down", 50))))
    volumes = {"orders": 300.0, "billing": 100.0}
    mix = learning.mix_for(OFFER, volumes)
    assert mix["billing"] > 0.9
    assert mix.keys() == volumes.keys()
    assert learning.mix_for(replace(OFFER, kind="newsletter"), volumes) == pytest.approx(
        {"orders": 0.75, "billing": 0.25}
    )
    given = replace(OFFER, kind="newsletter", queue_mix=(("billing", 0.4), ("orders", 0.6)))
    assert learning.mix_for(given, volumes) == pytest.approx({"orders": 0.6, "billing": 0.4})
    assert sum(learning.mix_for(None, volumes).values()) == pytest.approx(1)


async def test_the_lag_is_the_published_one_until_three_campaigns_told_theirs():
    late = np.zeros((12, 96))
    late[np.arange(12), np.arange(12) * 8] = 1.0
    lags = Lags(tuple(np.where(np.arange(96) == 56, 4_000.0, 0.0).tolist()), tuple(map(tuple, late.tolist())), 12.0)
    lessons = [replace(LESSON, campaign=f"past-{n}", lags=lags) for n in range(3)]
    before, then = await learned(*lessons[:2]), await learned(*lessons)
    assert before.kernel() is log_logistic_kernel()
    assert before.bin_shares() == ()
    assert then.kernel().is_learned
    assert np.argmax(then.bin_shares()) == 7


async def test_what_campaigns_brought_is_summed_where_it_was_and_nowhere_else():
    def brought(name: str, minutes: float, *contacts: float) -> Lesson:
        return replace(LESSON, campaign=name, lifts=(QueueContacts("orders", after(minutes * 60), contacts),))

    learning = await learned(brought("one", 0, 1.0, 2.0, 3.0), brought("two", 5, 10.0))
    assert learning.lift("orders", NOW, after(900)).tolist() == [1.0, 12.0, 3.0]
    assert learning.lift("orders", after(300), after(600)).tolist() == [12.0]
    assert learning.lift("orders", NOW, after(900), without="one").tolist() == [0.0, 10.0, 0.0]
    assert learning.lift("billing", NOW, after(900)).tolist() == [0.0] * 3
    learning.watch(brought("live", 10, 100.0))
    assert learning.lift("orders", NOW - timedelta(minutes=5), after(900)).tolist() == [0.0, 1.0, 12.0, 103.0]


async def test_a_final_debrief_takes_the_place_of_what_was_watched():
    kept = Kept()
    learning = Learning(kept, InProcess(), SteppedClock(NOW))
    learning.watch(replace(LESSON, lifts=(QueueContacts("orders", NOW, (5.0,)),)))
    kept.kept.append(replace(LESSON, lifts=(QueueContacts("orders", NOW, (4.0,)),)))
    await learning.load()
    assert learning.lift("orders", NOW, after(300)).tolist() == [4.0]


async def test_what_another_process_learned_is_read_soon_and_whoever_says_so_does_not_wait():
    kept = Kept(LESSON)
    learning = Learning(kept, InProcess(), SteppedClock(NOW))
    await learning.load()
    former, stop = learning.rate_for(OFFER), asyncio.Event()
    running = asyncio.create_task(learning.run(stop))
    kept.kept.append(replace(LESSON, campaign="another", per_1000=40.0))
    await learning.load_soon()
    assert learning.rate_for(OFFER) == former
    async with asyncio.timeout(20):
        while learning.rate_for(OFFER) == former:  # noqa: ASYNC110  # it tells nobody when it has read
            await asyncio.sleep(0.005)
    stop.set()
    await asyncio.wait_for(running, 10)
