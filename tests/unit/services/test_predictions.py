"""Which kept outlook a campaign's prediction is made from, when there is none, and how often it is made."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.computing import InProcess
from app.core.campaign.campaign import Campaign
from app.core.debrief.prediction import prediction
from app.core.debrief.question import Send
from app.errors import NotComputed
from app.ports.outlooks import KeptOutlook
from app.services import predictions as module
from app.services.outlook_texts import pack_known
from app.services.predictions import Predictions
from tests.support.foreseen import NOON, a_known, a_queue

KNOWN = a_known(a_queue(per_minute=0.3, agents=2, busy=1))
SPRING = Campaign("spring", "Spring", "default", 1_000, "ann", NOON)
MINUTE = timedelta(minutes=1)
FIRST = NOON + 4 * MINUTE
SENDS = (Send(FIRST, 300), Send(FIRST + 10 * MINUTE, 200))


class Kept:
    """Outlooks in a list."""

    def __init__(self, *outlooks: KeptOutlook) -> None:
        self._outlooks = list(outlooks)

    async def add_outlook(self, outlook):
        self._outlooks.append(outlook)

    async def outlook(self, gate, at):
        found = [each for each in self._outlooks if each.gate == gate and each.at <= at]
        return max(found, key=lambda each: each.at, default=None)

    async def prune_outlooks(self, before):
        self._outlooks = [each for each in self._outlooks if each.at >= before]


class Counting(InProcess):
    """Counts what is computed; while `fails`, nothing is."""

    def __init__(self):
        self.runs, self.fails = 0, False

    async def run(self, function, /, *args, **kwargs):
        self.runs += 1
        if self.fails:
            raise NotComputed("the process that computes has ended unexpectedly")
        return await super().run(function, *args, **kwargs)


def kept(known=KNOWN, gate="default"):
    return KeptOutlook(gate, known.at, 1, pack_known(known), b"")


def some_predictions(*outlooks):
    computing = Counting()
    return Predictions(Kept(*(outlooks or (kept(),))), computing), computing


async def test_messages_are_placed_by_minutes_after_the_outlook_that_stood():
    predictions, _ = some_predictions(kept(replace(KNOWN, at=NOON - 10 * MINUTE)), kept())
    assert await predictions.of(SPRING, SENDS, FIRST) == prediction(KNOWN, "spring", [(4.0, 300.0), (14.0, 200.0)])


@pytest.mark.parametrize(
    ("outlook", "at"),
    [
        (kept(gate="emea"), FIRST),
        (kept(), NOON - MINUTE),
        (kept(), NOON + 15 * MINUTE + timedelta(seconds=1)),
    ],
    ids=["another gate's", "made only later", "too old"],
)
async def test_without_an_outlook_of_that_moment_there_is_none_and_nothing_is_computed(outlook, at):
    predictions, computing = some_predictions(outlook)
    assert await predictions.of(SPRING, SENDS, at) is None
    assert computing.runs == 0


async def test_one_of_a_quarter_of_an_hour_before_still_counts():
    predictions, _ = some_predictions()
    assert await predictions.of(SPRING, SENDS, NOON + 15 * MINUTE) is not None


async def test_an_outlook_that_nothing_can_be_made_of_is_none():
    senseless = replace(KNOWN, queues=(replace(KNOWN.queues[0], step_seconds=0.0),))
    predictions, _ = some_predictions(kept(senseless))
    assert await predictions.of(SPRING, SENDS, FIRST) is None


async def test_it_is_made_once_for_the_same_messages_and_anew_for_others():
    predictions, computing = some_predictions()
    first = await predictions.of(SPRING, SENDS, FIRST)
    assert await predictions.of(SPRING, tuple(SENDS), FIRST) is first
    assert computing.runs == 1
    more = await predictions.of(SPRING, (*SENDS, Send(FIRST + 20 * MINUTE, 50)), FIRST)
    assert (computing.runs, first.messages, more.messages) == (2, 500, 550)


async def test_what_could_not_be_computed_is_tried_again():
    predictions, computing = some_predictions()
    computing.fails = True
    with pytest.raises(NotComputed):
        await predictions.of(SPRING, SENDS, FIRST)
    computing.fails = False
    assert await predictions.of(SPRING, SENDS, FIRST) is not None


async def test_of_many_campaigns_those_asked_for_last_are_remembered(monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    predictions, computing = some_predictions()
    first, second, third = (replace(SPRING, id=name) for name in ("a", "b", "c"))
    for campaign in (first, second, first, third):
        await predictions.of(campaign, SENDS, FIRST)
    assert computing.runs == 3
    await predictions.of(first, SENDS, FIRST)
    assert computing.runs == 3
    await predictions.of(second, SENDS, FIRST)
    assert computing.runs == 4
