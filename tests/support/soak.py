"""A simulated week, or a part of it: sources, senders, campaigns and watchers around one holdfire, and what befalls it.

The clock is moved a minute at a time, and on only once everything of that minute was answered and the evaluator has
followed: however slow a machine is, the same week happens, it only takes longer. Everything is drawn from one seed.
"""

import asyncio
import math
import random
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2

from tests.support.found import Kept, kept
from tests.support.soak_process import Process, Sample
from tests.support.soak_server import STEP_SECONDS, STEP_WALL_SECONDS, SharedClock
from tests.support.soak_sockets import Watchers
from tests.support.told import OK, Granted, Told

LATE_STEPS = 7
SAMPLES = 60
START = datetime(2026, 11, 23, tzinfo=UTC)
SOURCES = 8
HOUR_STEPS = 3600 // STEP_SECONDS
STALE_AFTER_SECONDS = 10 * STEP_SECONDS
CREATED, CONFLICT, FAULT = 201, 409, 500
WALL_PATIENCE_SECONDS = 120
LOCKED_WALL_SECONDS = 1.5
AUDIENCE, WAVE = 300, 100
POLICY: dict[str, Any] = {
    "queues": ["*"],
    "stale_after_seconds": STALE_AFTER_SECONDS,
    "rules": [{"metric": "backlog", "hold_above": 20, "resume_below": 15}],
    "max_audience_per_wave": 150,
}


@dataclass(frozen=True)
class Size:
    """How much of everything. wall_seconds: then it ends, however far it came."""

    hours: float
    sockets: int
    campaigns: int
    wall_seconds: float
    seed: int = 5

    @property
    def steps(self) -> int:
        return round(self.hours * HOUR_STEPS)

    @property
    def raw_days(self) -> float:
        """How long raw observations are kept: a seventh of it all, as a day is of a week."""
        return self.hours / 24 / 7


@dataclass
class Seen:
    """What a soak leaves to be judged."""

    told: Told = field(default_factory=Told)
    observations: list[Kept] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    happened: Counter[str] = field(default_factory=Counter)
    steps: int = 0
    wall_seconds: float = 0.0
    opened: int = 0
    heard_at_last: list[int] = field(default_factory=list)


class Soak:
    """One run over a folder."""

    def __init__(self, folder: Path, port: int, size: Size) -> None:
        self.size, self.seen = size, Seen()
        self.clock = SharedClock(folder, START)
        self.process = Process(folder, port, size.raw_days)
        self._port, self._chance = port, random.Random(size.seed)
        self._watchers = Watchers(port, size.sockets, random.Random(f"{size.seed}/sockets"))
        self._http: httpx2.AsyncClient
        self._plan = _plan(size, self._chance)
        self._silent: dict[int, int] = {}  # until which step a source says nothing
        self._late: list[dict[str, Any]] = []
        self._former: list[dict[str, Any]] = []
        self._disk, self._disk_until = ExitStack(), -1
        self._beside: list[asyncio.Task[None]] = []
        self._asked = ""

    async def run(self) -> Seen:
        """Live through all of it, and return what was seen."""
        began = time.monotonic()
        self.process.start()
        limits = httpx2.Limits(max_connections=SOURCES + 4)
        address = f"http://127.0.0.1:{self._port}"
        async with httpx2.AsyncClient(base_url=address, timeout=60, limits=limits) as self._http:
            try:
                await self._back()
                await self._save(POLICY)
                for step in range(self.size.steps):
                    if time.monotonic() - began > self.size.wall_seconds:
                        break
                    await self._minute(step)
                await self._calm()
            finally:
                self._disk.close()
                self._watchers.close()
                self.process.end()
        self.seen.wall_seconds = time.monotonic() - began
        return self.seen

    async def _minute(self, step: int) -> None:
        began = time.monotonic()
        self.clock.move(STEP_SECONDS)
        if step == self._disk_until:
            self._disk.close()
        happens = [self._befalls[what](self, step) for what in self._plan.get(step, ())]
        self.seen.happened.update(self._plan.get(step, ()))
        early = happens if self._chance.random() < 0.5 else []  # while sources report, or while senders ask
        await asyncio.gather(self._report(step), *early)
        await self._followed()
        late = [] if early else happens
        await asyncio.gather(self._send(step), self._campaigns(step), self._decide(step), *late)
        if step % 10 == 0:
            await self._watchers.tend()
        if step % HOUR_STEPS == 0 or step % max(1, self.size.steps // SAMPLES) == 0:
            self._collect()
            self.seen.samples.append(self.process.sample(step))
        self.seen.steps = step + 1
        await asyncio.sleep(max(0.0, STEP_WALL_SECONDS - (time.monotonic() - began)))

    async def _calm(self) -> None:
        """Let everything be well again, and note who of the watchers hears."""
        self._disk.close()
        await asyncio.gather(*self._beside)
        await self._watchers.tend(slow=0)
        for _ in range(HOUR_STEPS // 6):
            self.clock.move(STEP_SECONDS)
            await self._tell([self._reading(source, 0) for source in range(SOURCES)])
            await self._followed()
        deadline = time.monotonic() + WALL_PATIENCE_SECONDS
        while len(heard := self._watchers.heard()) < self.size.sockets or min(heard) == 0:
            assert time.monotonic() < deadline, f"{len(heard)} of {self.size.sockets} sockets are open, {heard}"
            await self._watchers.tend(slow=0)
            await asyncio.sleep(0.1)
        self.seen.heard_at_last, self.seen.opened = self._watchers.heard(), self._watchers.opened
        self._collect()

    # --- sources ---

    async def _report(self, step: int) -> None:
        hour = step / HOUR_STEPS
        busy = 8 + 9 * math.sin(hour / 24 * 2 * math.pi)
        each = []
        for source in range(SOURCES):
            if self._silent.get(source, -1) < step:
                backlog = max(0, round(busy + self._chance.gauss(0, 2)))
                each.append(self._reading(source, backlog))
        late = [one for one in each if self._chance.random() < 0.01]
        await asyncio.gather(*(self._tell([one]) for one in each if one not in late))
        self._late += late
        if step % LATE_STEPS == 0:
            self._chance.shuffle(self._late)
            self._late, told = [], self._late
            self.seen.happened["late and in disorder"] += len(told)
            await self._tell(told)
        if self._chance.random() < 0.05:
            self.seen.happened["told twice"] += len(self._former)
            await self._tell(self._former)
        self._former = each

    def _reading(self, source: int, backlog: int) -> dict[str, Any]:
        at = self.clock.now().isoformat()
        return {"source": f"acd-{source}", "queue": f"queue-{source}", "observed_at": at, "backlog": backlog}

    async def _tell(self, observations: Sequence[Mapping[str, Any]]) -> None:
        if not observations:
            return
        answer = await self._ask("POST", "/observations", json=list(observations))
        if answer is not None and answer.status_code == OK and not answer.json()["rejected"]:
            self.seen.told.acknowledged(observations, self.clock.us())

    # --- senders, and people who decide ---

    async def _send(self, step: int) -> None:
        """Take a permit now and then; where nobody answered, ask with its key again."""
        if not self._asked and self._chance.random() > 0.1:
            return
        told, key = self.seen.told, self._asked or f"sender/{step}"
        is_new, asked_us = key not in told.keys, self.clock.us()
        told.keys.add(key)
        body = {"gate": "default", "audience": 5, "ttl_seconds": 1800}
        answer = await self._ask("POST", "/permits", json=body, headers={"Idempotency-Key": key})
        self._asked = key if _is_unheard(answer) else ""
        if answer is None:
            return
        given = answer.json()
        if is_new and "evaluated_at" in given:
            told.answered(asked_us, self.clock.us(), given)
        if answer.status_code == OK:
            told.granted.setdefault(key, set()).add(Granted(given["permit_id"], given["allow"]))
            if self._chance.random() < 0.8:
                await self._ask("POST", f"/permits/{given['permit_id']}/report", json={"sent": given["allow"]})

    async def _decide(self, step: int) -> None:
        if step % (6 * HOUR_STEPS) == HOUR_STEPS:
            await self._save(POLICY | {"max_audience_per_wave": self._chance.randint(120, 180)})
        if step % (4 * HOUR_STEPS) == 2 * HOUR_STEPS:
            body = {"effect": "hold", "duration_minutes": 15, "comment": "a drill"}
            answer = await self._ask("POST", "/gates/default/overrides", json=body)
            if answer is not None and answer.is_success:
                self.seen.told.overrides[answer.json()["id"]] = self.clock.us()

    async def _save(self, policy: Mapping[str, Any]) -> None:
        answer = await self._ask("PUT", "/gates/default/policy", json=dict(policy), headers={"If-Match": "*"})
        if answer is not None and answer.is_success:
            self.seen.told.policies["default", int(answer.headers["ETag"].strip('"'))] = self.clock.us()

    # --- campaigns ---

    async def _campaigns(self, step: int) -> None:
        every = max(1, round(self.size.steps * 0.85 / self.size.campaigns))
        number, due = divmod(step, every)
        if due == 0 and number < self.size.campaigns:
            await self._announce(number)
        if due == every // 2 and number % 7 == 3:
            await self._ask("POST", f"/campaigns/wave-{number}/cancel")
        if step % 5 == 0:
            await self._mail()

    async def _announce(self, number: int) -> None:
        now, hours = self.clock.now(), max(2.0, self.size.hours / 12)
        plan = {
            "id": f"wave-{number}",
            "title": f"Wave {number}",
            "audience": AUDIENCE,
            "release": {"mode": "waves", "audience_per_wave": WAVE, "wave_gap_seconds": 300},
            "earliest_start": (now + timedelta(minutes=10)).isoformat(),
            "give_up_at": (now + timedelta(hours=hours)).isoformat(),
        }
        answer = await self._surely("POST", "/campaigns", json=plan)
        assert answer.status_code in {CREATED, CONFLICT}, answer.text
        await self._surely("POST", f"/campaigns/wave-{number}/schedule")

    async def _mail(self) -> None:
        """Send under each permit of a wave, mostly all of it at once."""
        answer = await self._ask("GET", "/permits", params={"state": "active"})
        if answer is None or answer.status_code != OK:
            return
        for permit in answer.json()["items"]:
            if permit["wave"] is not None:
                sent = permit["allow"] if self._chance.random() < 0.8 else permit["allow"] // 2
                await self._ask("POST", f"/permits/{permit['id']}/report", json={"sent": max(sent, permit["sent"])})

    # --- what befalls it ---

    async def _kill(self, _: int) -> None:
        await asyncio.sleep(self._chance.random() / 50)
        await self._restart(signal.SIGKILL)

    async def _end(self, _: int) -> None:
        await self._restart(signal.SIGTERM)

    async def _restart(self, number: int) -> None:
        self._disk.close()
        await asyncio.to_thread(self.process.end, number)
        self.process.start()
        await self._back()
        await self._watchers.tend()

    async def _fall_silent(self, step: int) -> None:
        self._silent[self._chance.randrange(SOURCES)] = step + HOUR_STEPS

    async def _all_fall_silent(self, step: int) -> None:
        self._silent = dict.fromkeys(range(SOURCES), step + HOUR_STEPS // 2)

    async def _fill_disk(self, step: int) -> None:
        self._disk.enter_context(self.process.full_disk())
        self._disk_until = step + 15

    async def _lock(self, _: int) -> None:
        self._beside.append(asyncio.create_task(asyncio.to_thread(self.process.lock, LOCKED_WALL_SECONDS)))

    _befalls: Mapping[str, Callable[["Soak", int], Any]] = {
        "killed": _kill,
        "restarted": _end,
        "one source silent": _fall_silent,
        "all sources silent": _all_fall_silent,
        "a full disk": _fill_disk,
        "a locked database": _lock,
    }

    # --- how it answers ---

    async def _ask(self, method: str, path: str, **how: Any) -> httpx2.Response | None:
        try:
            return await self._http.request(method, f"/api/v1{path}", **how)
        except httpx2.HTTPError:
            self.seen.happened["unanswered"] += 1
            return None

    async def _surely(self, method: str, path: str, **how: Any) -> httpx2.Response:
        """Return an answer that is none of a fault, however often that has to be asked for."""
        deadline = time.monotonic() + WALL_PATIENCE_SECONDS
        while (answer := await self._ask(method, path, **how)) is None or answer.status_code >= FAULT:
            assert time.monotonic() < deadline, f"{method} {path}: {answer and answer.text}"
            if self._disk_until > 0:
                self._disk.close()
            await asyncio.sleep(0.05)
        return answer

    async def _back(self) -> None:
        await self._surely("GET", "/gates/default")

    async def _followed(self) -> None:
        """Ask as a sender does, until the answer is of this very minute."""
        deadline = time.monotonic() + WALL_PATIENCE_SECONDS
        while True:
            asked_us = self.clock.us()
            answer = await self._ask("GET", "/readiness", params={"audience": 1})
            body = answer.json() if answer is not None else {}
            if "evaluated_at" in body:
                self.seen.told.answered(asked_us, self.clock.us(), body)
                if all(reason["code"] != "data_evaluation_late" for reason in body["reasons"]):
                    self.seen.happened[f"minutes of {body['state']}"] += 1
                    return
            assert time.monotonic() < deadline, f"nothing new was evaluated: {body}"
            await asyncio.sleep(0.02)

    def _collect(self) -> None:
        """Read what the stream has got since, before it is pruned."""
        last = self.seen.observations[-1].position if self.seen.observations else 0
        with closing(sqlite3.connect(self.process.database, timeout=60)) as database:
            database.row_factory = sqlite3.Row
            rows = database.execute("SELECT * FROM observations WHERE position > ? ORDER BY position", [last])
            self.seen.observations += [kept(dict(row)) for row in rows]


def _is_unheard(answer: httpx2.Response | None) -> bool:
    """Tell whether an ask was answered by nobody, or with a fault, which is not the gate's own no."""
    return answer is None or (answer.status_code >= FAULT and "evaluated_at" not in answer.json())


def _plan(size: Size, chance: random.Random) -> dict[int, list[str]]:
    """Return what happens at which step. The last start is before the middle, so that its process has time to grow."""
    plan: dict[int, list[str]] = {}
    early, always = (0.05, 0.4), (0.05, 0.95)
    for what, count, (after, before) in (
        ("killed", max(1, round(size.hours / 48)), early),
        ("restarted", 1, early),
        ("one source silent", max(2, round(size.hours / 12)), always),
        ("all sources silent", max(1, round(size.hours / 48)), always),
        ("a full disk", max(1, round(size.hours / 48)), always),
        ("a locked database", max(1, round(size.hours / 24)), always),
    ):
        for _ in range(count):
            step = round(size.steps * (after + (before - after) * chance.random()))
            plan.setdefault(step, []).append(what)
    return plan
