"""Polls an instance of Amazon Connect: what is now at every turn, what was in a window more rarely."""

import importlib.util
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from app.ports.pushes import PushReader
from app.services.trials import Rejected
from workers.sources.amazon_connect import translate
from workers.sources.amazon_connect.client import Client
from workers.sources.amazon_connect.config import Access, Instance, access_of, channels_of, queues_of
from workers.sources.amazon_connect.events import reader
from workers.sources.amazon_connect.quota import REQUESTS_PER_SECOND
from workers.sources.amazon_connect.translate import Window
from workers.sources.lot import Lot, joined
from workers.sources.polling import Poller
from workers.sources.worker import Factory, Surroundings
from workers.systems.faults import SourceFault
from workers.systems.table import Table

INTERVAL_SECONDS = 15.0
WINDOW_INTERVAL_SECONDS = 60.0
WINDOW_SECONDS = 1800.0
DEADLINE_SECONDS = 60.0
QUEUES_PER_QUESTION = 100
LEVELS = ("counts", "amazon")

_KIND = "amazon-connect"
_MINUTE = timedelta(minutes=1)


class Wanted(NamedTuple):
    """What is asked for. queues: our names by Amazon's ids; level_seconds: the service level's target."""

    queues: Mapping[str, str]
    channels: Sequence[str]
    windows: bool
    window_seconds: float
    window_interval_seconds: float
    level: str
    level_seconds: int


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="amazon-connect", instance_arn, queues, ...}. Raises Invalid."""
    if importlib.util.find_spec("boto3") is None:
        raise table.fault("type", "needs boto3, which is not installed", 'run: pip install "holdfire[amazon]"')
    access = access_of(table, REQUESTS_PER_SECOND)
    wanted = Wanted(
        queues_of(table, "queues", access.instance.arn),
        channels_of(table),
        windows=table.flag("windows", default=True),
        window_seconds=float(table.whole("window_minutes", int(WINDOW_SECONDS / 60), 1, 24 * 60) * 60),
        window_interval_seconds=table.seconds("window_interval_seconds", WINDOW_INTERVAL_SECONDS, 0, 3600),
        level=table.choice("service_level", LEVELS, LEVELS[0]),
        level_seconds=table.whole("service_level_seconds", 20, 1, 604_800),
    )
    if not wanted.queues:
        raise table.fault("queues", "names no queue", 'write for example { orders-voice = "the queue\'s id" }')
    _events(table, access.instance.arn, wanted.queues)
    interval = table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600)
    return partial(_worker, name=name, access=access, wanted=wanted, interval_seconds=interval)


def push_reader(table: Table, name: str) -> PushReader | None:
    """Return what reads the contact events of `event_queues`, None without any. Raises Invalid."""
    arn = table.text("instance_arn")
    queues = _events(table, arn, queues_of(table, "queues", arn))
    return reader(name, queues) if queues else None


def _events(table: Table, arn: str, polled: Mapping[str, str]) -> Mapping[str, str]:
    """Return the queues that contact events are told of; none that is polled.

    Events get lost, so what they add up to must never stand in the way of what Amazon counts itself.
    """
    queues = queues_of(table, "event_queues", arn)
    for name in queues.values():
        if name in polled.values():
            raise table.fault(f"event_queues.{name}", "is in queues, too", "give the queue of events a name of its own")
    return queues


def _worker(around: Surroundings, *, name: str, access: Access, wanted: Wanted, interval_seconds: float) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=AmazonConnect(name, Client(access), access.instance, wanted),
        interval_seconds=interval_seconds,
        deadline_seconds=DEADLINE_SECONDS,
    )


class AmazonConnect:
    """One instance and what is asked of it."""

    def __init__(self, name: str, client: Client, instance: Instance, wanted: Wanted) -> None:
        self._name, self._client, self._instance, self._wanted = name, client, instance, wanted
        self._windows_due = time.monotonic()

    async def read(self, _asked_at: datetime) -> Lot:
        """Return how the queues stand, and now and then what was in the window. Raises SourceFault."""
        lots, taken_at = [], None
        for queues in _portions(self._wanted.queues):
            pages = await self._client.pages("get_current_metric_data", self._current(queues))
            lots.append(translate.current(pages, queues, self._name))
            taken_at = translate.snapshot_of(pages)
        if taken_at is not None and self._wanted.windows and time.monotonic() >= self._windows_due:
            lots.append(await self._window(taken_at))
        return joined(lots)

    async def close(self) -> None:
        """Let go of connections."""
        self._client.close()

    async def _window(self, taken_at: datetime) -> Lot:
        """Return what was in the window that ends at the last whole minute of Amazon's own clock.

        A fault here is no reason to lose what is now: it is noted, and asked again next time.
        """
        self._windows_due = time.monotonic() + self._wanted.window_interval_seconds
        end = taken_at.replace(second=0, microsecond=0)
        if end == taken_at:
            end -= _MINUTE  # the API takes no end that is not over
        window = Window(end - timedelta(seconds=self._wanted.window_seconds), end)
        try:
            return joined([await self._of_window(queues, window) for queues in _portions(self._wanted.queues)])
        except SourceFault as fault:
            return Lot((), [Rejected(0, "", f"no windowed metrics: {fault}")])

    async def _of_window(self, queues: Mapping[str, str], window: Window) -> Lot:
        pages = await self._client.pages("get_metric_data_v2", self._windowed(queues, window))
        return translate.windowed(pages, queues, self._name, window)

    def _current(self, queues: Mapping[str, str]) -> Mapping[str, Any]:
        return {
            "InstanceId": self._instance.id,
            "Filters": {"Queues": list(queues), "Channels": list(self._wanted.channels)},
            "Groupings": ["QUEUE", "CHANNEL"],  # without them ages come in milliseconds
            "CurrentMetrics": [{"Name": name, "Unit": unit} for name, unit in translate.CURRENT_UNITS.items()],
        }

    def _windowed(self, queues: Mapping[str, str], window: Window) -> Mapping[str, Any]:
        filters = {"QUEUE": list(queues), "CHANNEL": list(self._wanted.channels)}
        return {
            "ResourceArn": self._instance.arn,
            "StartTime": window.start,
            "EndTime": window.end,
            "Interval": {"IntervalPeriod": "TOTAL", "TimeZone": "UTC"},
            "Filters": [{"FilterKey": key, "FilterValues": values} for key, values in filters.items()],
            "Groupings": ["QUEUE"],  # averages over a queue's channels are then Amazon's, weighted as they must be
            "Metrics": self._metrics(),
        }

    def _metrics(self) -> Sequence[Mapping[str, Any]]:
        threshold = [{"Comparison": "LTE", "ThresholdValue": float(self._wanted.level_seconds)}]
        level = translate.LEVEL if self._wanted.level == "amazon" else translate.WITHIN
        return [*({"Name": name} for name in translate.WINDOWED), {"Name": level, "Threshold": threshold}]


def _portions(queues: Mapping[str, str]) -> Sequence[Mapping[str, str]]:
    items = list(queues.items())
    starts = range(0, len(items), QUEUES_PER_QUESTION)
    return [dict(items[start : start + QUEUES_PER_QUESTION]) for start in starts]
