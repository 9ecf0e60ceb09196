"""The pieces of the demonstration, each against real sockets and a real clock where it needs one."""

import asyncio
import os
import signal
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from app.clocks import DataClock
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.floor.state import Floor
from app.core.gate.decide import decide
from app.core.gate.decision import GateMemory, Verdict
from app.core.gate.policy import parse_policy
from app.core.simulation.plan import Span
from app.core.simulation.simulation import Simulation
from app.errors import NotDurable
from app.ports.stream import Appended
from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.shell import wait_until
from tests.support.simulated import START, a_queue, a_simulation, at, seeded, stays
from workers.sources.simulator.center import OPENS, QUEUES, WARM_UP, daily, local
from workers.sources.simulator.clock import DemoClock
from workers.sources.simulator.demonstration import SEED, demo_policy
from workers.sources.simulator.email_tool import EmailTool
from workers.sources.simulator.scenarios import SCENARIOS, PlannedSend
from workers.sources.simulator.twins import TwinDays
from workers.sources.simulator.worker import SOURCE, SimulatorWorker

# --- the clock --------------------------------------------------------------------------------------------------------


async def test_the_clock_stands_where_it_was_moved_until_it_runs():
    clock = DemoClock(START, speed=1000)
    clock.move_to(at(600))
    clock.move_to(at(60))
    assert clock.now() == at(600)
    clock.run()
    await clock.sleep(20)
    assert at(620) <= clock.now()
    clock.move_to(at(100_000))
    assert clock.now() < at(100_000)


async def test_who_sleeps_through_the_warm_up_wakes_in_time():
    clock = DemoClock(START, speed=1000)
    woken = []

    async def sleeper(seconds):
        await clock.sleep(seconds)
        woken.append(seconds)

    async with asyncio.TaskGroup() as tasks:
        for seconds in (30, 90, 120):
            tasks.create_task(sleeper(seconds))
        await asyncio.sleep(0)
        for moved, awake in ((29, []), (30, [30]), (60, [30]), (100, [30, 90])):
            clock.move_to(at(moved))
            await asyncio.sleep(0.01)
            assert woken == awake
        clock.run()
    assert woken == [30, 90, 120]


@pytest.mark.parametrize("speed", [0, -1, float("nan")])
def test_a_clock_that_does_not_move_is_refused(speed):
    with pytest.raises(ValueError, match="speed"):
        DemoClock(START, speed=speed)


# --- the feed ---------------------------------------------------------------------------------------------------------


class ListStream:
    """A stream that keeps what it was given; while `broken` it takes nothing."""

    def __init__(self) -> None:
        self.payloads: list[ContactEvent | Observation] = []
        self.broken = False

    async def append(self, payloads: Sequence[ContactEvent | Observation]) -> Appended:
        if self.broken:
            raise NotDurable("the disk is full")
        self.payloads += payloads
        return Appended(len(payloads), 0)


def a_worker(stream, silences=(), **more):
    clock, sources = DataClock(START), Sources()
    simulation = a_simulation(a_queue(per_hour=120, agents=5), observe=15, source=SOURCE)
    return SimulatorWorker(simulation, clock, Ingest(stream, clock, sources), sources, silences, **more), clock, sources


async def feed(worker, clock, seconds):
    clock.move_to(at(seconds))
    await worker.feed(clock.now())


def whole_hour():
    return a_simulation(a_queue(per_hour=120, agents=5), observe=15, source=SOURCE).advance(at(3600))


async def test_everything_that_happened_is_fed_once():
    stream = ListStream()
    worker, clock, sources = a_worker(stream)
    for seconds in range(0, 3601, 60):
        await feed(worker, clock, seconds)
    assert sorted(stream.payloads, key=str) == sorted(whole_hour(), key=str)
    assert [health.status for health in sources.all()] == ["ok"]


async def test_what_could_not_be_written_is_fed_when_it_can_be_again():
    stream = ListStream()
    worker, clock, sources = a_worker(stream)
    stream.broken = True
    await feed(worker, clock, 1800)
    assert stream.payloads == []
    assert sources.all()[0].last_error == "the disk is full"
    stream.broken = False
    await feed(worker, clock, 3600)
    assert sorted(stream.payloads, key=str) == sorted(whole_hour(), key=str)


async def test_a_silent_feed_tells_nothing_and_afterwards_only_what_happened_to_contacts():
    stream = ListStream()
    worker, clock, sources = a_worker(stream, [Span(600, 1200)])
    await feed(worker, clock, 599)
    told = len(stream.payloads)
    await feed(worker, clock, 1199)
    assert len(stream.payloads) == told > 0
    assert sources.all()[0].status == "silent"
    await feed(worker, clock, 3600)
    fed = stream.payloads
    assert [e for e in fed if isinstance(e, ContactEvent)] == [e for e in whole_hour() if isinstance(e, ContactEvent)]
    observed = [o.observed_at for o in fed if isinstance(o, Observation)]
    assert not [instant for instant in observed if at(600) <= instant < at(1200)]
    assert at(1200) in observed


# --- the email tool ---------------------------------------------------------------------------------------------------


async def sent_through(url, folder, send):
    """Run the tool; return (what was mailed, lines said)."""
    mailed: list[int] = []
    lines: list[str] = []
    clock = DataClock(START)

    def mail(people):
        mailed.append(people)
        return 50

    tool = EmailTool(send, opens_at=START, clock=clock, url=url, mail=mail, say=lines.append, folder=folder)
    await asyncio.wait_for(tool.run(asyncio.Event()), 20)
    assert clock.now() >= at(600)
    return mailed, lines


async def test_the_careless_tool_asks_nobody(tmp_path):
    send = PlannedSend("spring", 50_000, planned_at=600, contacts_per_1000=1.0, asks_gate=False)
    mailed, lines = await sent_through("http://127.0.0.1:9", tmp_path, send)
    assert mailed == [50_000]
    assert "nobody was asked" in lines[0]


async def test_the_email_tool_sends_nothing_when_nobody_answers(tmp_path):
    send = PlannedSend("spring", 50_000, planned_at=600, contacts_per_1000=1.0)
    stop = asyncio.Event()
    mailed, lines = [], []

    def mail(people):
        mailed.append(people)
        return 0

    def say(line):
        lines.append(line)
        if not line.startswith("$"):
            stop.set()

    tool = EmailTool(
        send,
        opens_at=START,
        clock=DataClock(START),
        url="http://127.0.0.1:9",
        mail=mail,
        say=say,
        folder=tmp_path,
    )
    await asyncio.wait_for(tool.run(stop), 30)
    assert mailed == []
    assert "127.0.0.1:9" in lines[1]


def test_the_script_mails_its_wave_in_batches_and_says_how_far_it_came_when_stopped(tmp_path):
    tool = EmailTool(
        PlannedSend("spring", 5_000, planned_at=0, contacts_per_1000=1.0, emails_per_second=5_000),
        opens_at=START,
        clock=DataClock(START),
        url="http://127.0.0.1:9",
        mail=lambda _: 0,
        say=lambda _: None,
        folder=tmp_path,
    )
    tool.write_script()
    mailed = tmp_path / "mailed"
    environment = {"HOLDFIRE_WAVE_AUDIENCE": "5000", "PATH": "/usr/bin:/bin"}
    process = subprocess.Popen(
        ["sh", str(tmp_path / "send.sh")], env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    wait_until(mailed.read_text, "the first batch")
    os.killpg(process.pid, signal.SIGTERM)
    output, _ = process.communicate(timeout=60)
    batches = [int(line) for line in mailed.read_text().split()]
    assert batches[0] == 500
    assert output.split() == [f"sent={sum(batches)}"]
    assert sum(batches) < 5_000


# --- the center and its scenarios -------------------------------------------------------------------------------------


def test_the_demonstration_begins_on_a_monday_morning_after_its_warm_up():
    assert (OPENS.strftime("%A %H:%M"), OPENS.utcoffset()) == ("Monday 08:30", timedelta(hours=-6))
    assert local("08:30") == WARM_UP.total_seconds()
    assert (OPENS - WARM_UP).astimezone(UTC) < datetime(2026, 11, 16, 14, tzinfo=UTC)


def test_a_daily_profile_begins_at_the_simulations_start_and_repeats():
    rates = daily((("07:00", 0), ("08:00", 60), ("09:00", 0)), bursts=(("08:30", 600),))
    per_hour = [rate * 3600 for rate in rates.per_second]
    assert len(per_hour) == 1440
    assert per_hour[0] == pytest.approx(45.5)
    assert per_hour[45] == pytest.approx(29.5 + 600)
    assert per_hour[-45] == pytest.approx(0.5)
    assert sum(rate * 60 for rate in rates.per_second) == pytest.approx(60 + 10)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_scenario_sends_its_campaign_to_queues_of_its_floor(name):
    scenario = SCENARIOS[name]
    assert name == scenario.name
    assert {queue.name for queue in scenario.plan.queues} == set(QUEUES)
    whole = scenario.send.whole()
    assert set(whole.queue_shares) == set(QUEUES)
    assert local("08:30") < scenario.send.planned_at < local("09:30")
    assert scenario.send.asks_gate == (name != "careless-blast")


def test_on_an_ordinary_morning_nearly_nobody_waits():
    simulation = Simulation(SCENARIOS["quiet"].plan, START, seeded(1), observe_every_seconds=None)
    morning = [stay for stay in stays(simulation.advance(at(4 * 3600))) if stay.queued < 3.5 * 3600]
    assert {stay.queue for stay in morning} == set(QUEUES)
    assert sum(stay.wait <= 20 for stay in morning) / len(morning) > 0.95


def test_on_a_monday_with_a_peak_many_wait():
    simulation = Simulation(SCENARIOS["monday-peak"].plan, START, seeded(1), observe_every_seconds=None)
    peak = [stay for stay in stays(simulation.advance(at(4 * 3600))) if local("09:00") < stay.queued < local("09:45")]
    orders = [stay for stay in peak if stay.queue == "orders-voice"]
    assert sum(stay.wait <= 20 for stay in orders) / len(orders) < 0.3


BEGIN = (OPENS - WARM_UP).astimezone(UTC)


def verdicts(name, until, twins=None):
    """Return (seconds, verdict) of each change of the gate from 08:30 on, the campaign sent as the scenario says.

    twins: told what happens, like those of a demonstration.
    """
    scenario, floor, policy, begin = SCENARIOS[name], Floor(QUEUES), parse_policy(demo_policy()), BEGIN
    simulation = Simulation(scenario.plan, begin, seeded(SEED), source=SOURCE)
    memory, left, ask_at = GateMemory(), scenario.send.audience, scenario.send.planned_at
    changes: list[tuple[int, Verdict]] = []
    unheard: list[ContactEvent | Observation] = []
    for seconds in range(0, int(local(until)), 5):
        now = begin + timedelta(seconds=seconds)
        happened = simulation.advance(now)
        if twins is not None:
            twins.advance(now, happened)
        unheard += happened
        if not any(span.start <= seconds < span.end for span in scenario.silences):
            for each in unheard:
                floor.apply(each)
            unheard.clear()
        decision, memory = decide(floor.view(now), policy, memory, now)
        if now >= OPENS and (not changes or changes[-1][1] != decision.verdict):
            changes.append((seconds, decision.verdict))
        if left and seconds >= ask_at and (decision.verdict is Verdict.SEND or not scenario.send.asks_gate):
            wave = min(left, scenario.send.audience_per_wave) if scenario.send.asks_gate else left
            simulation.mail(scenario.send.whole(), scenario.send.audience - left, wave, now)
            if twins is not None:
                twins.mailed(wave, now)
            left, ask_at = left - wave, seconds + scenario.send.wave_gap_seconds
    return changes


def test_a_quiet_morning_stays_open():
    assert verdicts("quiet", "11:00") == [(local("08:30"), Verdict.SEND)]


def test_the_peak_holds_before_the_campaign_and_lets_go_within_the_hour():
    opened, held, released = verdicts("monday-peak", "09:55")
    assert (opened[1], held[1], released[1]) == (Verdict.SEND, Verdict.HOLD, Verdict.SEND)
    assert local("08:40") < held[0] < local("08:53")
    assert local("09:30") < released[0] < local("09:55")


def test_the_careless_blast_closes_the_gate_at_once_and_for_an_hour():
    opened, held, *later = verdicts("careless-blast", "11:00")
    assert (opened[1], held[1]) == (Verdict.SEND, Verdict.HOLD)
    assert local("08:55") < held[0] < local("09:05")
    assert not [at_seconds for at_seconds, _ in later if at_seconds < held[0] + 3600]


def test_the_outage_holds_until_the_line_is_worked_off():
    opened, held, released = verdicts("outage", "10:00")
    assert (opened[1], held[1], released[1]) == (Verdict.SEND, Verdict.HOLD, Verdict.SEND)
    assert local("08:45") < held[0] < local("08:50")
    assert local("09:10") < released[0] < local("09:50")


def test_a_feed_that_stops_is_unknown_from_two_minutes_on_until_it_is_back():
    opened, unknown, back = verdicts("feed-stops", "09:30")
    assert (opened[1], unknown[1], back[1]) == (Verdict.SEND, Verdict.UNKNOWN, Verdict.SEND)
    assert unknown[0] == pytest.approx(local("08:47"), abs=20)
    assert back[0] == pytest.approx(local("09:05"), abs=20)


def test_bursts_are_one_hold():
    opened, held, released = verdicts("flapping", "10:45")
    assert (opened[1], held[1], released[1]) == (Verdict.SEND, Verdict.HOLD, Verdict.SEND)
    assert local("08:40") < held[0] < local("08:50")
    assert local("10:00") < released[0]


# --- the same day, twice ----------------------------------------------------------------------------------------------


def both_days(name, until):
    twins = TwinDays(SCENARIOS[name], BEGIN, seeded(SEED))
    verdicts(name, until, twins)
    return twins.read()


def test_on_mondays_peak_all_at_once_is_several_times_worse_than_gated():
    twins = both_days("monday-peak", "11:30")
    at_once, gated = twins.at_once.peak(twins.planned_at), twins.gated.peak(twins.planned_at)
    assert at_once is not None
    assert gated is not None
    assert at_once.speed_to_answer_seconds > 3 * gated.speed_to_answer_seconds > 0
    assert twins.at_once.gave_up(twins.planned_at) > 5 * twins.gated.gave_up(twins.planned_at)
    assert [wave.people for wave in twins.at_once.waves] == [400_000]
    assert len(twins.gated.waves) > 3


@pytest.mark.parametrize("name", [name for name in SCENARIOS if SCENARIOS[name].send.asks_gate])
def test_until_the_campaign_is_to_leave_both_days_are_the_same(name):
    twins = both_days(name, "09:20")
    assert twins.queue == "Orders (voice)"
    assert twins.planned_at == BEGIN + timedelta(seconds=local("08:55"))
    before, after = (
        [
            [each for each in day.center if (each.until <= twins.planned_at) is is_before]
            for day in (twins.at_once, twins.gated)
        ]
        for is_before in (True, False)
    )
    assert before[0] == before[1]
    assert sum(each.answered for each in before[0]) > 100
    assert after[0] != after[1]


def test_what_people_call_for_at_some_instant_they_call_for_on_both_days():
    surge = SCENARIOS["spike"].surge
    assert surge is not None
    days = []
    for happens in (False, True):
        twins = TwinDays(SCENARIOS["spike"], BEGIN, seeded(SEED))
        if happens:
            twins.happens(surge.campaign(), BEGIN + timedelta(seconds=local("08:40")))
        twins.advance(BEGIN + timedelta(seconds=local("08:55")), [])
        days.append(twins.read().at_once)
    calm, struck = (sum(each.answered + each.abandoned for each in day.queue) for day in days)
    assert calm + 50 < struck <= calm + surge.contacts


def test_the_days_end_at_nine_and_stay_as_they_were():
    twins = TwinDays(SCENARIOS["quiet"], BEGIN, seeded(SEED))
    twins.advance(BEGIN + timedelta(seconds=local("22:30")), [])
    told = twins.read()
    assert told.is_over
    assert told.until == told.end == BEGIN + timedelta(seconds=local("21:00"))
    twins.mailed(100, BEGIN + timedelta(seconds=local("22:40")))
    twins.advance(BEGIN + timedelta(seconds=local("23:00")), [])
    assert twins.read() == told


async def test_what_happens_is_told_beside_the_feed_also_while_that_is_silent():
    told = []
    worker, clock, _ = a_worker(
        ListStream(), [Span(600, 1200)], beside=lambda now, happened: told.append((now, happened))
    )
    for seconds in (500, 1100):
        await feed(worker, clock, seconds)
    assert [now for now, _ in told] == [at(500), at(1100)]
    so_far = a_simulation(a_queue(per_hour=120, agents=5), observe=15, source=SOURCE).advance(at(1100))
    assert [each for _, happened in told for each in happened] == so_far


def test_the_demonstrations_policy_is_sound_and_watches_its_queues():
    policy = parse_policy(demo_policy())
    assert set(policy.queues) == set(QUEUES)
    assert policy.time_zone == "America/Chicago"
    assert policy.max_audience_per_wave == 100_000
