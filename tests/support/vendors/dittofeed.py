"""A Dittofeed: broadcasts that take commands as signals, and say 200 whatever comes of them."""

import json
from datetime import datetime, timedelta
from typing import Any

from tests.support.vendors.mailing import Job, Mailer
from tests.support.vendors.strict import Answer, Asked, Wrong, must_bear

TOKEN = "canary-of-dittofeed"
WORKSPACE = "2b2b1c7e-5a0f-4b1c-9d0a-7f7f0f8f0001"
WISHES = {"start": ({"Draft"}, "Running"), "pause": ({"Running"}, "Paused"), "resume": ({"Paused"}, "Running")}


class Dittofeed(Mailer):
    """A signal is followed signal_seconds later."""

    def __init__(self, *, rate: float = 50.0, signal_seconds: float = 0.0) -> None:
        super().__init__(rate=rate, count_seconds=10.0)
        self.signal_seconds = signal_seconds
        self.signals: list[tuple[datetime, str, str]] = []

    def answer(self, asked: Asked) -> Answer:
        must_bear(asked, TOKEN)
        self.take_signals()
        self.advance("Completed")
        if asked.params.get("workspaceId", WORKSPACE) != WORKSPACE:
            raise Wrong(403, "Forbidden")
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["api", "admin", "broadcasts"]:
                found = [self.shown(job) for job in self.jobs.values() if job.id == asked.params["ids"]]
                return Answer(found)
            case "GET", ["api", "admin", "deliveries", "count"]:
                job = self.jobs.get(asked.params["broadcastId"])
                return Answer({"count": job.shown if job else 0})
            case "POST", ["api", "admin", "broadcasts", word] if word in WISHES:
                return self.post(word, json.loads(asked.body))
        raise Wrong(404, f"there is no {asked.path}")

    def shown(self, job: Job) -> dict[str, Any]:
        config = {"type": "V2", "rateLimit": self.rate, "message": {"type": "Email"}}
        return {"id": job.id, "workspaceId": WORKSPACE, "status": job.status, "version": "V2", "config": config}

    def post(self, word: str, body: dict[str, Any]) -> Answer:
        if body.get("workspaceId") != WORKSPACE or "broadcastId" not in body:
            raise Wrong(400, "body must have required property 'workspaceId'")
        self.commands.append(word)
        if word not in self.deaf and body["broadcastId"] in self.jobs:
            at = self.now() + timedelta(seconds=self.signal_seconds)
            self.signals.append((at, word, body["broadcastId"]))
            self.take_signals()
        return Answer({"message": f"Broadcast {word}ed"})

    def take_signals(self) -> None:
        due = [signal for signal in self.signals if signal[0] <= self.now()]
        self.signals = [signal for signal in self.signals if signal[0] > self.now()]
        for _, word, job_id in due:
            job, (before, after) = self.jobs[job_id], WISHES[word]
            if job.status not in before:
                continue
            self.advance("Completed")
            if after == "Running":
                self.begin(job, after)
            else:
                self.stop(job, after)
