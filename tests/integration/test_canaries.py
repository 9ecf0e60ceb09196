"""No caller's number or name, and no secret, is kept or shown anywhere: canaries go in through every source.

Each source has a function here that sends canaries through its own worker, where its system puts such things and where
it should not; then everything that holdfire keeps or says is searched for them. A new source adds its line to WAYS_IN.
"""

import asyncio
import json
import logging
import os
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from app.core.floor.metric import Metric
from app.ports.keys import SCOPES
from app.telemetry.metrics import Metrics
from tests.support.mosquitto import PASSWORD as MQTT_PASSWORD
from tests.support.mosquitto import a_broker
from tests.support.vendors import amazon_connect as amazon
from tests.support.vendors import asterisk, five9, freeswitch
from tests.support.vendors import genesys_cloud as genesys
from tests.support.vendors import nice_cxone as cxone
from tests.support.vendors import twilio_taskrouter as twilio
from tests.support.vendors import zendesk_talk as zendesk
from tests.support.vendors.http_json import TOKEN, Acd, Line
from tests.support.vendors.prometheus import PASSWORD, WAITING_QUERY, Prometheus
from tests.support.vendors.strict import Broken, Truncated, serving
from tests.support.whole import Whole, a_whole
from workers.sources.polling import Poller
from workers.sources.pushes import taken_by
from workers.sources.queue_log.worker import QueueLogWorker
from workers.sources.registry import one
from workers.sources.worker import SourceWorker, Surroundings
from workers.systems.faults import SourceFault

NUMBER, NAME = "+1 555 0177 321", "Wilhelmina Quastenflosser"
DIGITS = NUMBER.replace(" ", "")
EMAIL = "quastenflosser@example.net"
CANARIES = (
    NUMBER,
    DIGITS[1:],
    NAME,
    NAME.replace(" ", "."),
    EMAIL,
    TOKEN,
    PASSWORD,
    MQTT_PASSWORD,
    amazon.SECRET,
    asterisk.SECRET,
    genesys.SECRET,
    freeswitch.PASSWORD,
    twilio.SECRET,
    zendesk.TOKEN,
    cxone.KEY_ID,
    cxone.SECRET,
    five9.PASSWORD,
)
QUEUE = "canary-queue"
SWITCH = {"host": "127.0.0.1", "poll_seconds": 0.02}


def a_worker(whole: Whole, table: dict[str, object]) -> SourceWorker:
    _, factory = one("sources[0]", table)
    return factory(Surroundings(whole.services.ingest, whole.services.sources, whole.clock))


async def polled(whole: Whole, table: dict[str, object], times: int) -> None:
    """Ask a system so many times, whatever comes of it; then try it as the doctor does."""
    worker, stop = a_worker(whole, table), asyncio.Event()
    assert isinstance(worker, Poller)
    for _ in range(times):
        await worker.poll(stop)
        whole.clock.move(1)
    try:
        logging.getLogger("tried").info("%s", await worker.sample())
    except SourceFault as fault:
        logging.getLogger("tried").info("%s", fault)


async def push(whole: Whole, _: Path) -> None:
    at = whole.clock.now().isoformat()
    fine = {"queue": QUEUE, "observed_at": at, "source": "push", "backlog": 3}
    observations = [fine, fine | {"caller": NUMBER}, fine | {"backlog": NAME}, fine | {"observed_at": DIGITS}]
    event = {"contact_id": "c-1", "queue": QUEUE, "event": "queued", "at": at, "source": "push"}
    contacts = [event | {key: value} for key, value in (("contact_id", NUMBER), ("agent", EMAIL), ("name", NAME))]
    async with whole.client("ingest") as client:
        await client.post("/api/v1/observations", json=observations)
        await client.post("/api/v1/contacts", json=[event, *contacts])
        await client.post("/api/v1/contacts", content=f'{{"caller": "{NUMBER}'.encode())


async def queue_log(whole: Whole, folder: Path) -> None:
    now, path = int(whole.clock.now().timestamp()), folder / "queue_log"
    lines = [
        f"{now - 60}|1.1|{QUEUE}|NONE|ENTERQUEUE|{NAME}|{DIGITS}|1",
        f"{now - 50}|1.1|{QUEUE}|Local/{DIGITS}@out.example.net|CONNECT|10|1.2|1",
        f"{now - 40}|1.1|{QUEUE}|SIP/7|TRANSFER|{DIGITS}|{NAME}|10|10|1",
        f"{now - 30}|1.3|{QUEUE}|NONE|ENTERQUEUE||{NUMBER}|x",
        f"{now - 30}|{NUMBER}|{QUEUE}|{NAME.replace(' ', '.')}@example.net|{NAME}|{NUMBER}",
        f"{NAME}|{NUMBER}",
    ]
    path.write_text("\n".join(lines) + "\n")
    worker = a_worker(whole, {"type": "queue-log", "name": "pbx", "path": str(path)})
    assert isinstance(worker, QueueLogWorker)
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(60):
        while (health := whole.services.sources.find("pbx")) is None or "lines" not in health.details:  # noqa: ASYNC110 - nothing signals it
            await asyncio.sleep(0.01)
    stop.set()
    await running
    logging.getLogger("tried").info("%s", await worker.sample())


async def http_json(whole: Whole, _: Path) -> None:
    with serving(Acd(**{QUEUE: Line(3), NUMBER: Line(1), "odd": Line(NAME)})) as acd:  # type: ignore[arg-type]
        acd.base = whole.clock.now
        acd.troubles.extend([Broken(), Truncated(), Broken(401)])
        await polled(whole, acd.table(), 5)


async def amazon_connect(whole: Whole, _: Path) -> None:
    with serving(amazon.Connect()) as connect:
        connect.base = whole.clock.now
        odd = amazon.Channel({NAME: 1.0, "CONTACTS_IN_QUEUE": NAME})  # type: ignore[dict-item]
        connect.queues = {amazon.QUEUE_ID: {"VOICE": amazon.waiting(3)}, amazon.OTHER_ID: {"VOICE": odd}}
        table = connect.table(queues={QUEUE: amazon.QUEUE_ID, "odd": amazon.OTHER_ID}, event_queues={"events": "e-1"})
        connect.troubles.extend([Broken(), Truncated(), Broken(403)])
        await polled(whole, table, 4)
        connect.queues[amazon.OTHER_ID] = {NUMBER: odd}
        await polled(whole, table, 1)
    whole.services = replace(whole.services, pushes=taken_by([table], whole.services.ingest))
    at = whole.clock.now().isoformat()
    detail = {"queueInfo": {"queueArn": f"{amazon.ARN}/queue/e-1"}, "customerEndpoint": {"address": DIGITS}}
    odd_agent = {"agentInfo": {"agentArn": f"agent/{EMAIL}", "connectedToAgentTimestamp": at}, "channel": NUMBER}
    async with whole.client("ingest") as client:
        for more, status in (
            (odd_agent, 200),
            ({"attributes": {"name": NAME}, "disconnectTimestamp": at, "disconnectReason": NAME}, 200),
            ({"contactId": NUMBER}, 422),
            ({"disconnectTimestamp": NAME}, 422),
        ):
            event = amazon.contact_event("QUEUED", at)
            event["detail"] |= {**detail, **more}
            assert (await client.post("/api/v1/sources/connect/push", json=event)).status_code == status


async def genesys_cloud(whole: Whole, _: Path) -> None:
    with genesys.serving_genesys(genesys.Genesys(DIGITS)) as system:
        system.base = whole.clock.now
        system.wait(genesys.QUEUE_ID, "voice", 3, 10)
        system.groups[genesys.QUEUE_ID, NUMBER] = [genesys.metric("oWaiting", 1, NAME)]
        system.groups[genesys.QUEUE_ID, ""] = [genesys.metric("oUserRoutingStatuses", 1, EMAIL)]
        table = system.table(queues={QUEUE: genesys.QUEUE_ID})
        system.troubles.extend([Broken(), Broken(400), Truncated()])
        await polled(whole, table | {"stream": False}, 5)

        def heard() -> bool:
            health = whole.services.sources.find("genesys")
            if health is None or health.details.get("channels_alive") != 1:
                return False
            system.tell(genesys.QUEUE_ID, NAME, genesys.metric(NUMBER, 7), genesys.metric("oWaiting", 7))
            system.tell(genesys.QUEUE_ID, "voice", genesys.metric("oWaiting", 7))
            return health.accepted > 5

        await followed(whole, table, heard)


async def twilio_taskrouter(whole: Whole, _: Path) -> None:
    with serving(twilio.TaskRouter()) as system:
        system.base = whole.clock.now
        system.queues = {
            twilio.QUEUE_SID: twilio.real_time("3", "0", 9, caller=NUMBER, activity_statistics=[{"worker": NAME}]),
            twilio.OTHER_SID: twilio.real_time(NUMBER, NAME, EMAIL),
        }
        system.window = {"tasks_entered": NAME, "split_by_wait_time": NUMBER}
        system.troubles.extend([Broken(), Truncated(), Broken(401)])
        await polled(whole, system.table(queues={QUEUE: twilio.QUEUE_SID, "odd": twilio.OTHER_SID}), 5)


async def zendesk_talk(whole: Whole, _: Path) -> None:
    with serving(zendesk.Talk()) as system:
        system.base = whole.clock.now
        system.lines = {"": zendesk.activity(3, 9, caller=NUMBER, agents=[NAME]), "7": zendesk.activity(NUMBER, NAME)}
        system.troubles.extend([Broken(), Truncated(), Broken(401)])
        await polled(whole, system.table(queues={QUEUE: "all", "odd": "7"}), 5)


async def nice_cxone(whole: Whole, _: Path) -> None:
    with serving(cxone.Cxone()) as system:
        system.base = whole.clock.now
        system.rows = [
            system.skill(1, 3, 9, skillName=NAME, caller=NUMBER),
            system.skill(2, NUMBER, agentsIdle=NAME),
            system.skill(NUMBER, NAME),
        ]
        system.troubles.extend([Broken(), Broken(400), Truncated(), Broken(401)])
        await polled(whole, system.table(queues={QUEUE: "1", "odd": "2"}), 6)


async def five9_soap(whole: Whole, _: Path) -> None:
    with serving(five9.Five9()) as system:
        system.base = whole.clock.now
        system.skills = [five9.skill("Orders", 3, 9_000), five9.skill("Odd", NUMBER, NAME), five9.skill(NAME, NUMBER)]
        system.troubles.extend([Broken(), Broken(), Truncated(), Broken(401)])
        await polled(whole, system.table(queues={QUEUE: "Orders", "odd": "Odd"}), 6)


async def prometheus(whole: Whole, _: Path) -> None:
    with serving(Prometheus()) as prom:
        prom.base = whole.clock.now
        prom.series[WAITING_QUERY] = {QUEUE: "3", NUMBER: "1"}
        prom.troubles.extend([Broken(), Truncated(), Broken(401)])
        await polled(whole, prom.table(), 5)


async def csv_drop(whole: Whole, folder: Path) -> None:
    lines = ["Queue,Waiting,Caller", f"{QUEUE},3,{NUMBER}", f"{NUMBER},1,{NAME}", f"odd,{NAME},{DIGITS}", f"{NAME},1"]
    (folder / "1.csv").write_text("\n".join(lines) + "\n")
    (folder / "2.csv").write_text(f"{NAME},{NUMBER}\n{EMAIL},1\n")
    moment = whole.clock.now().timestamp()
    for name in ("1.csv", "2.csv"):
        os.utime(folder / name, (moment, moment))
    mapping = {"queue_from": "Queue", "metrics": {"backlog": "Waiting"}}
    table = {"type": "csv-drop", "folder": str(folder), "settle_seconds": 0.01, "mapping": mapping}
    await polled(whole, table, 2)


async def mqtt(whole: Whole, folder: Path) -> None:
    with a_broker(folder) as broker:
        stop, worker = asyncio.Event(), a_worker(whole, broker.table(topics=["acd/#"]))
        running = asyncio.create_task(worker.run(stop))
        health = whole.services.sources.find
        async with asyncio.timeout(60):
            while (found := health("mqtt")) is None or found.status != "listening":  # noqa: ASYNC110 - nothing signals it
                await asyncio.sleep(0.01)
            for topic, payload in (
                (f"acd/{QUEUE}/live", {"waiting": 3, "caller": NUMBER, "name": NAME}),
                ("acd/odd/live", {"waiting": NAME}),
                (f"acd/{EMAIL}/live", {"waiting": 1}),
                (f"acd/tel:{DIGITS[1:]}/live", {"waiting": 1}),
                (f"acd/odd/{NAME}", NUMBER),
            ):
                await broker.publish(topic, json.dumps(payload))
            while found.rejected < 4:  # noqa: ASYNC110 - the same
                await asyncio.sleep(0.01)
        stop.set()
        await running


async def followed(whole: Whole, table: dict[str, object], heard: Callable[[], bool]) -> None:
    """Follow a system until it was heard, then try it as the doctor does."""
    worker, stop = a_worker(whole, table), asyncio.Event()
    running = asyncio.create_task(worker.run(stop))
    async with asyncio.timeout(60):
        while not heard():
            whole.clock.move(0.01)
            await asyncio.sleep(0.01)
    stop.set()
    await running
    logging.getLogger("tried").info("%s", await worker.sample())


async def asterisk_ami(whole: Whole, _: Path) -> None:
    pbx = asterisk.Asterisk(whole.clock.now, QUEUE, largest_piece=30)
    pbx.number, pbx.name = DIGITS, NAME
    pbx.garbage = f"Event: QueueCallerJoin\r\nQueue: {QUEUE}\r\nUniqueid:\r\nHoldTime: {NUMBER}\r\n\r\n".encode()
    agent = pbx.add(QUEUE, f"Local/{DIGITS}@out.example.net")
    pbx.join(QUEUE)
    async with pbx.wire:
        table = {"type": "asterisk-ami", "port": pbx.wire.port, "username": "holdfire", "secret": asterisk.SECRET}

        def heard() -> bool:
            if pbx.asked["QueueSummary"] >= 2 and not pbx.queues[QUEUE].talks:
                pbx.answer(QUEUE, pbx.join(QUEUE, DIGITS), agent)
                pbx.abandon(QUEUE, pbx.join(QUEUE, EMAIL))
            return pbx.asked["QueueSummary"] > 6

        await followed(whole, table | SWITCH, heard)


async def freeswitch_esl(whole: Whole, _: Path) -> None:
    switch = freeswitch.FreeSwitch(whole.clock.now, QUEUE, largest_piece=30)
    switch.number, switch.name = DIGITS, f"{NAME}|{NUMBER}"
    agent = switch.add(QUEUE, EMAIL)
    switch.join(QUEUE)
    async with switch.wire:
        table = {"type": "freeswitch-esl", "port": switch.wire.port, "password": freeswitch.PASSWORD}

        def heard() -> bool:
            if switch.asked["api strepoch"] >= 2 and not switch.talking(QUEUE):
                switch.connect(switch.join(QUEUE), agent)
                switch.cancel(switch.join(QUEUE))
            return switch.asked["api strepoch"] > 6

        await followed(whole, table | SWITCH, heard)


WAYS_IN: dict[str, Callable[[Whole, Path], Awaitable[None]]] = {
    "push": push,
    "amazon-connect": amazon_connect,
    "queue-log": queue_log,
    "asterisk-ami": asterisk_ami,
    "freeswitch-esl": freeswitch_esl,
    "csv-drop": csv_drop,
    "five9": five9_soap,
    "genesys-cloud": genesys_cloud,
    "http-json": http_json,
    "mqtt": mqtt,
    "nice-cxone": nice_cxone,
    "prometheus": prometheus,
    "twilio-taskrouter": twilio_taskrouter,
    "zendesk-talk": zendesk_talk,
}


class NobodyWatches:
    """No live connection is open."""

    connections = 0


def found_in(what: str, text: str) -> list[str]:
    return [f"{canary} in {what}" for canary in CANARIES if canary in text]


@pytest.mark.parametrize("way_in", WAYS_IN.values(), ids=WAYS_IN)
async def test_canaries_that_go_in_come_out_nowhere(way_in, tmp_path, caplog, capfd):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "data").mkdir()
    async with a_whole(tmp_path / "data") as whole:
        await way_in(whole, tmp_path)
        await whole.evaluate(1)
        reading = whole.services.evaluator.published.view
        assert any(reading.reading(QUEUE, metric) for metric in Metric), "nothing came in at all"
        found = await _said(whole)
        found += [each for health in whole.services.sources.all() for each in found_in("health", repr(health))]
    for path in (tmp_path / "data").rglob("*"):
        found += found_in(path.name, path.read_bytes().decode(errors="replace") if path.is_file() else "")
    printed = capfd.readouterr()
    found += found_in("the logs", caplog.text + printed.out + printed.err)
    assert found == []


async def _said(whole: Whole) -> list[str]:
    """Return the canaries in the answers of every address of the API that needs no id, and in the metrics."""
    found = []
    paths = [path for path, operations in whole.app.openapi()["paths"].items() if "get" in operations]
    async with whole.client(*SCOPES) as client:
        for path in paths:
            if "{" not in path:
                found += found_in(path, json.dumps((await client.get(path)).text))
        listed = (await client.get("/api/v1/sources")).json()["items"]
    assert len(listed) >= 2
    metrics = Metrics()
    metrics.watch(whole.services, NobodyWatches())
    return found + found_in("/metrics", generate_latest(metrics.registry).decode())
