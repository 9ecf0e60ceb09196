import asyncio
import time
from datetime import timedelta
from email.utils import format_datetime

import pytest

from app.services.ingest import Ingest
from app.services.sources import Sources
from app.services.trials import Rejected
from tests.support.builders import NOW, an_observation
from tests.support.memory import MemoryStream, SteppedClock
from workers.sources.lot import Lot
from workers.sources.polling import Poller, pause_after
from workers.sources.worker import Surroundings
from workers.systems.clocks import hear
from workers.systems.faults import RateLimited, Refused, SourceFault, TranslateError

FAULT = SourceFault("the line is dead")


class Told:
    """Says one thing after the other, then waits for ever: a lot, one with how far its clock is ahead, or a fault."""

    def __init__(self, *things):
        self.things, self.asked_at, self.closed = list(things), [], 0
        self.waits = asyncio.Event()

    async def read(self, asked_at):
        self.asked_at.append(asked_at)
        if not self.things:
            self.waits.set()
            await asyncio.Event().wait()
        thing = self.things.pop(0)
        if isinstance(thing, SourceFault):
            raise thing
        if isinstance(thing, tuple):
            thing, seconds = thing
            hear({"date": format_datetime(NOW + timedelta(seconds=seconds), usegmt=True)}, time.monotonic())
        return thing

    async def close(self):
        self.closed += 1


class Polled:
    """A poller over memory."""

    def __init__(self, *things, interval=10.0, deadline=5.0):
        clock, self.sources = SteppedClock(NOW), Sources()
        self.stream, self.told, self.stop = MemoryStream(clock), Told(*things), asyncio.Event()
        around = Surroundings(Ingest(self.stream, clock, self.sources), self.sources, clock)
        self.poller = Poller(
            around,
            name="acd",
            kind="http-json",
            asking=self.told,
            interval_seconds=interval,
            deadline_seconds=deadline,
            jitter=lambda: 0.0,
        )

    async def poll(self, times=1):
        return [await self.poller.poll(self.stop) for _ in range(times)]

    @property
    def health(self):
        return self.sources.find("acd")


def floor(**metrics):
    return Lot([an_observation(observed_at=NOW, source="acd", **metrics)])


async def test_what_is_told_is_sent_on_and_said_in_health():
    polled = Polled(floor(backlog=3))
    assert await polled.poll() == [10.0]
    (record,) = polled.stream.records
    assert record.payload == an_observation(observed_at=NOW, source="acd", backlog=3)
    assert (polled.health.kind, polled.health.status) == ("http-json", "working")
    assert (polled.health.details["rows"], polled.health.details["rejected_rows"]) == (1, 0)


async def test_the_first_fault_of_a_row_is_logged_and_its_end(caplog):
    caplog.set_level("INFO")
    await Polled(FAULT, FAULT, floor(backlog=1), floor(backlog=2)).poll(4)
    assert [(record.message, vars(record).get("why")) for record in caplog.records] == [
        ("source_fails", "the line is dead"),
        ("source_works_again", None),
    ]


async def test_after_faults_the_pauses_grow_and_nothing_is_invented():
    polled = Polled(FAULT, FAULT, FAULT, FAULT, floor(backlog=1), FAULT)
    assert await polled.poll(6) == [10.0, 20.0, 40.0, 60.0, 10.0, 10.0]
    assert len(polled.stream.records) == 1
    assert (polled.health.status, polled.health.consecutive_failures) == ("failing", 1)


async def test_rejected_rows_are_counted_and_shown_without_their_texts():
    rejected = Rejected(2, "backlog", "backlog: '+1 555 0100 100' is not a number", "+1 555 0100 100")
    polled = Polled(Lot(floor(backlog=1).payloads, [rejected]))
    await polled.poll()
    assert (polled.health.accepted, polled.health.rejected, polled.health.status) == (1, 1, "working")
    assert [(each.pointer, each.detail, each.value) for each in polled.health.refusals] == [
        ("/backlog", "backlog: the text is not a number", None)
    ]


async def test_nothing_acceptable_stays_a_failure_though_the_system_answers():
    polled = Polled(*(Lot([], [Rejected(1, "", "no queue is named")]) for _ in range(2)))
    await polled.poll(2)
    assert polled.health.status == "answers, and nothing of it can be taken"
    assert polled.health.consecutive_failures == 2


async def test_an_answer_without_queues_ends_a_failing():
    polled = Polled(FAULT, Lot([]))
    await polled.poll(2)
    assert (polled.health.status, polled.health.consecutive_failures) == ("answers, and names no queue", 0)


async def test_data_that_stand_still_are_noticed():
    old = an_observation(observed_at=NOW.replace(hour=NOW.hour - 1), source="acd", backlog=0)
    polled = Polled(Lot([old]))
    await polled.poll()
    assert polled.health.status.startswith("answers with data 3,600 s old")


async def test_one_asking_has_one_deadline():
    polled = Polled(deadline=0.01)
    await polled.poll()
    assert polled.health.last_error == "it took longer than 0.01 s to be told how the floor stands"


async def test_a_stop_ends_an_asking_at_once_and_closes():
    polled = Polled(deadline=60)
    running = asyncio.create_task(polled.poller.run(polled.stop))
    await polled.told.waits.wait()
    assert polled.health.status == "connecting"
    polled.stop.set()
    await asyncio.wait_for(running, 60)
    assert polled.told.closed == 1
    assert polled.health.consecutive_failures == 0


async def test_it_asks_again_and_again():
    polled = Polled(floor(backlog=1), FAULT, floor(backlog=2), interval=0.001)
    running = asyncio.create_task(polled.poller.run(polled.stop))
    await polled.told.waits.wait()
    polled.stop.set()
    await running
    assert polled.health.duplicates == 1


async def test_a_sample_stores_nothing_and_says_when_no_row_can_be_taken():
    polled = Polled(floor(backlog=4), Lot([], [Rejected(3, "backlog", "backlog: no")]))
    assert await polled.poller.sample() == floor(backlog=4)
    with pytest.raises(TranslateError, match="none of 1 rows can be taken: row 3: backlog: no"):
        await polled.poller.sample()
    assert (polled.stream.records, polled.told.closed, polled.sources.all()) == ([], 2, [])


@pytest.mark.parametrize(
    ("fault", "faults", "expected"),
    [
        (RateLimited("slower", 300), 1, 300),
        (RateLimited("slower", 0), 2, 20),
        (RateLimited("slower", 10**9), 1, 3600),
        (Refused("no"), 1, 60),
        (Refused("no"), 9, 900),
        (FAULT, 10**6, 60),
    ],
)
def test_pauses_heed_what_kind_of_fault_it_was(fault, faults, expected):
    assert pause_after(fault, faults, 10, 0) == expected
    assert pause_after(fault, faults, 10, 1) == expected * 1.25


async def test_a_pause_that_was_asked_for_begins_when_it_was_asked_for(monkeypatch):
    class Slow(Told):
        async def read(self, asked_at):
            await asyncio.sleep(0.05)
            return await super().read(asked_at)

    async def pause(seconds, stop):
        pauses.append(seconds)
        stop.set()

    pauses: list[float] = []
    monkeypatch.setattr("workers.sources.polling.pause", pause)
    polled = Polled(interval=0.01)
    polled.poller._asking = Slow(RateLimited("slower", 0.06))
    await polled.poller.run(polled.stop)
    assert pauses == [pytest.approx(0.06, abs=0.02)]


def test_a_slow_interval_is_never_hurried_by_a_fault():
    assert pause_after(FAULT, 1, 300, 0) == 300


async def test_a_clock_that_becomes_wrong_is_warned_of_once(caplog):
    ahead = (3, 600, 601, 4, -90)
    polled, statuses = Polled(*((floor(backlog=1), seconds) for seconds in ahead)), []
    for _ in ahead:
        await polled.poll()
        statuses.append(polled.health.status.partition(",")[0])
    warned = [vars(record) for record in caplog.records if record.message == "source_clock_wrong"]
    assert [round(each["ahead_seconds"], -1) for each in warned] == [600, -90]
    assert statuses == ["working", "works", "works", "working", "works"]
