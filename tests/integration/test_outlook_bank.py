"""The outlook on a real floor: a bank's calls, replayed to a busy noon, and half a million people to be mailed.

The calls, talk times and patience are the bank's, of the first days of February 1999. Who is at work is an uploaded
schedule of 24 agents: the record has no head-counts, and the eight or so who were there are too few for half a million
of anything. That the campaign's kind brings 1.4 contacts per 1,000, give or take a tenth, is what six campaigns before
it taught. Where less is known the gate lets so much less go that half as much again is mostly safe, too.

What the gate answers is then done, 200 times (what breaks most days, 50 times), on floors that differ in how busy they
are and in how many get in touch as the outlook said they may, with talk times that spread as the bank's do. A day
counts as broken by what happened on it: more waited at some instant than the policy allows, or in some quarter of an
hour too few were answered in time. With exponential talk times, which is what the outlook reckons with, a tenth of the
days break: just what is accepted.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, NamedTuple, cast

import httpx2
import msgspec
import pytest

from app.api.readiness import ReadinessEndpoint
from app.clocks import DataClock
from app.core.debrief.lesson import Lesson
from app.core.event import EventType
from app.core.floor.contact import ContactEvent
from app.core.floor.observation import Observation
from app.core.forecast.case import Case
from app.core.forecast.known import gate_case
from app.ports.learning import KeptDebrief
from app.services.replay import Replay
from app.settings import Settings
from app.store.bundle import Store, open_store
from app.telemetry.metrics import Metrics
from app.wiring import build_services
from tests.support.api import an_app
from tests.support.builders import an_event
from tests.support.drawn_floors import broken_share
from tests.support.shared import QUEUE_LOG, shared
from tests.support.whole import Whole
from workers.sources.recordings import Format, Reading, Recording

pytestmark = pytest.mark.slow

NOON = datetime(1999, 2, 4, 12, 0, tzinfo=UTC)  # a Thursday
SEEDS, FEW = range(200), range(50)
AUDIENCE, AGENTS = 500_000, 24
TAUGHT_PER_1000 = (1.25, 1.43, 1.60, 1.33, 1.53, 1.27)
POLICY = {
    "queues": ["bank"],
    "rules": [{"metric": "backlog", "hold_above": 8}],
    "outlook": {"service_level_ratio": 0.8, "service_level_seconds": 20, "backlog": 8, "horizon_minutes": 180},
}
CAMPAIGN = {
    "id": "february",
    "title": "News of February",
    "audience": AUDIENCE,
    "kind": "newsletter",
    "release": {"mode": "when-ready"},
}
SCHEDULE = "date,time,agents\n" + "".join(
    f"1999-02-{day:02d},{hour:02d}:{minute:02d},{AGENTS}\n"
    for day in range(1, 7)
    for hour in range(7, 24)
    for minute in (0, 30)
)


class Said(NamedTuple):
    """What holdfire says at noon, and the case that its outlook was made of."""

    outlook: Any
    readiness: Any
    plan: Any
    case: Case

    def parts(self) -> list[tuple[int, float]]:
        """Return minute and size of each part that the plan lets go, each as large as can be."""
        begun = datetime.fromisoformat(self.plan["at"])
        return [
            ((datetime.fromisoformat(wave["starts_at"]) - begun) // timedelta(minutes=1), wave["audience"])
            for wave in self.plan["greedy_waves"]
        ]


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    return asyncio.run(what_is_said(tmp_path_factory.mktemp("bank")))


async def what_is_said(folder):
    """Replay the bank to noon and ask, all over HTTP."""
    calls = the_calls()
    clock, settings = DataClock(calls[0].at.replace(microsecond=0)), Settings(data_dir=folder, auth="off")
    async with open_store(settings.resolved_database_url, clock, alone=True) as store:
        await teach(store, clock.now())
        services = await build_services(settings, clock, store, Metrics())
        await Replay(store.stream, services.evaluator, clock).run(calls)
        whole = Whole(cast("Any", clock), store, services, an_app(), ReadinessEndpoint())
        async with whole.client() as client:
            await arrange(client)
            made = await services.outlooks.look(services.evaluator.published.gates["default"])
            assert made is not None
            assert made.gathered is not None, made.unknown
            for _ in made.gathered.known.senders:
                await services.outlooks._look_into_oldest()
            services.evaluator.evaluate_now()
            known = made.gathered.known
            return Said(
                await asked(client, "outlook", audience=AUDIENCE, campaign="february"),
                await asked(client, "readiness", 429, audience=AUDIENCE, campaign="february"),
                await asked(client, "campaigns/february/plan", lead_minutes=0),
                gate_case(known).of(made.gathered.sender("february")),
            )


def the_calls():
    """Return what the bank's calls did up to noon; who logged on was inferred by whoever made the record, not known."""
    with Recording(shared(QUEUE_LOG), Reading(Format.QUEUE_LOG)) as recording:
        upto = takewhile(
            lambda each: (each.observed_at if isinstance(each, Observation) else each.at) < NOON, recording.payloads
        )
        return [each for each in upto if isinstance(each, ContactEvent)]


async def teach(store: Store, at: datetime) -> None:
    for number, per_1000 in enumerate(TAUGHT_PER_1000):
        lesson = Lesson(f"past-{number}", "newsletter", at, per_1000, 0.04, (), None, ())
        kept = KeptDebrief(lesson.campaign, at, {}, b"", msgspec.to_builtins(lesson))
        await store.debriefs.save_debrief(kept, an_event(EventType.CAMPAIGN_DEBRIEFED))


async def arrange(client: httpx2.AsyncClient) -> None:
    """Upload who is at work, save the policy, and announce the campaign."""
    schedule: dict[str, Any] = {
        "content": SCHEDULE,
        "headers": {"Content-Type": "text/csv"},
        "params": {"time_zone": "UTC"},
    }
    for answer in (
        await client.put("/api/v1/queues/bank/staffing", **schedule),
        await client.put("/api/v1/gates/default/policy", json=POLICY, headers={"If-Match": "*"}),
        await client.post("/api/v1/campaigns", json=CAMPAIGN),
        await client.post("/api/v1/campaigns/february/schedule", json={"reason": "it is time"}),
    ):
        assert answer.is_success, answer.text


async def asked(client, path, status=200, **query):
    answer = await client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_the_outlook_is_made_of_the_banks_own_past_and_of_the_schedule(said):
    (made_from,) = said.outlook["made_from"]
    assert made_from["arrivals"].startswith("little history of this weekday: the mean of 3 days, time by time")
    assert made_from["agents"] == "bank: agents as scheduled. How many are really here is not known."
    assert made_from["handle_time"].startswith("164 s, from 164 s of 367 contacts in the last 8 hours")
    assert made_from["patience"].startswith("356 s, by all waiting")
    (queue,) = said.outlook["queues"]
    assert (queue["queue"], len(queue["points"])) == ("bank", 36)
    assert {point["agents"] for point in queue["points"]} == {AGENTS}
    assert all(5 < point["without"]["offered"] < 12 for point in queue["points"])
    assert said.outlook["contacts_per_1000"]["low"] < 1.4 < said.outlook["contacts_per_1000"]["high"]
    assert said.outlook["without"]["breach_probability"] < 0.01
    assert said.outlook["with_send"]["breach_probability"] > 0.5


def test_readiness_says_how_many_may_go_why_no_more_when_the_rest_may_and_how_many_agents_would_do(said):
    body = said.readiness
    (reason,) = body["reasons"]
    assert (body["decision"], body["requested"], body["proceed"]) == ("throttle", AUDIENCE, False)
    assert AUDIENCE / 2 < body["allow"] < AUDIENCE
    assert (reason["code"], reason["queue"], reason["limit"]) == ("predicted_backlog_high", "bank", 8)
    why, rest, agents = reason["message"].split("; ")
    assert why.startswith(
        f"more than {body['allow']:,} now would break a limit: bank: more than 8 waiting predicted from 12:"
    )
    assert rest.startswith(f"{body['next_window']['allow']:,} may go from 12:15 (UTC), ")
    assert agents == f"{said.plan['agents']['by_queue']['bank']} more agents would make 500,000 safe now"


def test_the_plan_says_the_same_and_every_way_to_send_the_rest(said):
    plan = said.plan
    assert plan["now"]["audience"] == said.readiness["allow"]
    assert plan["now"]["breach_probability"] <= 0.1
    assert (plan["at_once"]["breach_probability"], plan["audience"]) == (pytest.approx(0.9, abs=0.2), AUDIENCE)
    assert sum(wave["audience"] for wave in plan["equal_waves"]) == pytest.approx(AUDIENCE, rel=0.05)
    assert plan["next_window"]["audience"] <= AUDIENCE - plan["now"]["audience"]


def test_what_may_go_now_keeps_the_limits_on_nine_days_of_ten_and_half_as_much_again_mostly_does_not(said):
    allow = said.readiness["allow"]
    assert broken_share(said.case, [(0, allow)], SEEDS) <= 0.10
    assert broken_share(said.case, [(0, 1.5 * allow)], FEW) > 0.50


def test_the_parts_of_the_plan_keep_them_too(said):
    parts = said.parts()
    assert len(parts) > 1
    assert broken_share(said.case, parts, SEEDS) <= 0.10


def test_with_the_agents_that_are_named_everybody_may_be_mailed_at_once(said):
    more = said.plan["agents"]["by_queue"]["bank"]
    staffed = said.case.with_agents("bank", more, 0)
    assert broken_share(staffed, [(0, AUDIENCE)], SEEDS) <= 0.10
    assert broken_share(said.case, [(0, AUDIENCE)], FEW) > 0.30
