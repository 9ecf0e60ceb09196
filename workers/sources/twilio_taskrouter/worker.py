"""Polls the task queues of a TaskRouter workspace: what is now at every turn, what was in a window more rarely."""

import re
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import NamedTuple

from app.services.trials import Rejected
from workers.sources.figures import named_queues
from workers.sources.lot import Lot
from workers.sources.polling import Poller
from workers.sources.twilio_taskrouter.client import Access, Client
from workers.sources.twilio_taskrouter.translate import current, windowed
from workers.sources.worker import Factory, Surroundings
from workers.systems.faults import SourceFault, TranslateError
from workers.systems.table import Table

INTERVAL_SECONDS = 15.0
DEADLINE_SECONDS = 60.0
MOST_QUEUES = 50

_KIND = "twilio-taskrouter"
_WORKSPACE, _QUEUE = re.compile("WS[0-9a-fA-F]{32}"), re.compile("WQ[0-9a-fA-F]{32}")


class Wanted(NamedTuple):
    """What is asked for. queues: the SIDs by our names; target_seconds: the service level's."""

    queues: Mapping[str, str]
    windows: bool
    window_minutes: int
    window_interval_seconds: float
    target_seconds: int


def configured(table: Table, name: str) -> Factory:
    """Return what builds the worker of {type="twilio-taskrouter", workspace_sid, queues, ...}. Raises Invalid."""
    return partial(
        _worker,
        name=name,
        access=_access(table),
        wanted=Wanted(
            _queues(table),
            windows=table.flag("windows", default=True),
            window_minutes=table.whole("window_minutes", 30, 1, 24 * 60),
            window_interval_seconds=table.seconds("window_interval_seconds", 60, 0, 3600),
            target_seconds=table.whole("service_level_seconds", 20, 1, 86_400),
        ),
        interval_seconds=table.seconds("interval_seconds", INTERVAL_SECONDS, 0.05, 3600),
    )


class TaskRouter:
    """One workspace and what is asked of it."""

    def __init__(self, name: str, client: Client, wanted: Wanted) -> None:
        self._name, self._client, self._wanted = name, client, wanted
        self._windows_due = time.monotonic()

    async def read(self, asked_at: datetime) -> Lot:
        """Return how the task queues stand, and now and then what was in the window. Raises SourceFault.

        An answer that makes no sense costs its own queue only.
        """
        seen, rejected = [], []
        for row, (queue, sid) in enumerate(self._wanted.queues.items(), start=1):
            answer = await self._client.current(sid)
            try:
                seen.append(current(answer, queue, self._name, asked_at, sid))
            except TranslateError as fault:
                rejected.append(Rejected(row, "", str(fault)))
        lot = Lot(seen, rejected)
        return await self._with_windows(lot) if self._wanted.windows and self._due() else lot

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    def _due(self) -> bool:
        due = time.monotonic() >= self._windows_due
        if due:
            self._windows_due = time.monotonic() + self._wanted.window_interval_seconds
        return due

    async def _with_windows(self, lot: Lot) -> Lot:
        """Return a lot with the windows. A fault of theirs is no reason to lose what is now: it is noted."""
        wanted, seen = self._wanted, list(lot.payloads)
        try:
            for queue, sid in wanted.queues.items():
                answer = await self._client.windowed(sid, wanted.window_minutes, wanted.target_seconds)
                found = windowed(answer, queue, self._name, wanted.target_seconds)
                seen.extend([found] if found is not None else [])
        except SourceFault as fault:
            return Lot(seen, [*lot.rejected, Rejected(0, "", f"no windowed metrics: {fault}")])
        return Lot(seen, lot.rejected)


def _worker(around: Surroundings, *, name: str, access: Access, wanted: Wanted, interval_seconds: float) -> Poller:
    return Poller(
        around,
        name=name,
        kind=_KIND,
        asking=TaskRouter(name, Client(access), wanted),
        interval_seconds=interval_seconds,
        deadline_seconds=DEADLINE_SECONDS,
    )


def _access(table: Table) -> Access:
    workspace = table.text("workspace_sid")
    if not _WORKSPACE.fullmatch(workspace):
        raise table.fault("workspace_sid", f"{workspace!r} is no workspace's SID", "write WS and 32 hexadecimal digits")
    return Access(
        url=table.url("api_url", "https://taskrouter.twilio.com"),
        workspace=workspace,
        user=table.text("username"),
        password=table.secret("password"),
        task_channel=table.optional_text("task_channel"),
        timeout_seconds=table.seconds("timeout_seconds", 10, 0.1, 60),
    )


def _queues(table: Table) -> Mapping[str, str]:
    queues = named_queues(table, "WQ…")
    for name, sid in queues.items():
        if not _QUEUE.fullmatch(sid):
            raise table.fault(f"queues.{name}", f"{sid!r} is no task queue's SID", "write WQ and 32 hexadecimal digits")
    if len(queues) > MOST_QUEUES:
        raise table.fault("queues", f"has {len(queues):,} queues", f"give at most {MOST_QUEUES}")
    return queues
