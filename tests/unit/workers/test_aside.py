"""What a system said is read beside the event loop: an ask that comes meanwhile is answered."""

import asyncio
import json
import os
import threading
from importlib import import_module

import pytest

from app.services.ingest import Ingest
from app.services.sources import Sources
from tests.support.builders import NOW
from tests.support.memory import MemoryStream, SteppedClock
from tests.support.vendors.prometheus import WAITING_QUERY, Prometheus
from tests.support.vendors.strict import Answer, Vendor, serving
from workers.sources.aside import Aside
from workers.sources.mqtt.translate import Message
from workers.sources.mqtt.worker import LARGE_BYTES, MqttWorker
from workers.sources.registry import one
from workers.sources.worker import SourceWorker, Surroundings

PATIENCE_SECONDS = 5
ROWS: list[dict[str, str | int]] = [{"queue": f"q-{number}", "waiting": 3} for number in range(1_000)]
MAPPING = {"queue_from": "queue", "metrics": {"backlog": "waiting"}}


class Rows(Vendor):
    """Says the rows at every address."""

    def answer(self, _):
        return Answer(ROWS)


def a_worker(table: dict[str, object]) -> SourceWorker:
    clock, sources = SteppedClock(NOW), Sources()
    return one("sources[0]", table)[1](Surroundings(Ingest(MemoryStream(clock), clock, sources), sources, clock))


async def of_http_json():
    with serving(Rows()) as rows:
        return await a_worker({"type": "http-json", "url": rows.url("/"), "mapping": MAPPING}).sample()


async def of_prometheus():
    with serving(Prometheus()) as prom:
        prom.base = lambda: NOW
        prom.series[WAITING_QUERY] = {str(row["queue"]): "3" for row in ROWS}
        return await a_worker(prom.table()).sample()


async def of_mqtt():
    worker = a_worker({"type": "mqtt", "host": "127.0.0.1", "topics": ["acd"], "mapping": MAPPING})
    assert isinstance(worker, MqttWorker)
    payload = json.dumps(ROWS).encode()
    assert len(payload) > LARGE_BYTES
    return await worker._translated(Message("acd", payload, NOW))


async def of_a_dropped_file(folder):
    (folder / "1.csv").write_text("queue,waiting\n" + "".join(f"{row['queue']},3\n" for row in ROWS))
    os.utime(folder / "1.csv", (NOW.timestamp(), NOW.timestamp()))
    table = {"type": "csv-drop", "folder": str(folder), "settle_seconds": 0.01}
    return await a_worker(table | {"mapping": MAPPING}).sample()


@pytest.mark.parametrize("kind", ["http_json", "prometheus", "mqtt", "csv_drop"])
async def test_the_event_loop_turns_while_a_large_answer_is_read(kind, monkeypatch, tmp_path):
    read = {"http_json": of_http_json, "prometheus": of_prometheus, "mqtt": of_mqtt}
    module = import_module(f"workers.sources.{kind}.worker")
    translate, loop, turned = module.translate, asyncio.get_running_loop(), threading.Event()

    def once_it_turned(*given):
        loop.call_soon_threadsafe(turned.set)
        assert turned.wait(PATIENCE_SECONDS), "the loop stood still"
        return translate(*given)

    monkeypatch.setattr(module, "translate", once_it_turned)
    lot = await (of_a_dropped_file(tmp_path) if kind == "csv_drop" else read[kind]())
    assert len(lot.payloads) == len(ROWS)


async def test_what_hangs_aside_holds_one_thread_and_nobody_else():
    let_go, begun = threading.Event(), []
    aside, other = Aside("one"), Aside("other")

    def hang():
        begun.append(threading.current_thread())
        let_go.wait(PATIENCE_SECONDS)

    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await aside.run(hang)
    assert await other.run(len, "abc") == 3
    let_go.set()
    assert await aside.run(len, "ab") == 2
    assert len(begun) == 1
