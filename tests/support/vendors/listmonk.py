"""A listmonk: its campaign API, with the states it takes, what it answers to them, and how late it counts."""

import json
from typing import Any

from tests.support.vendors.mailing import Job, Mailer
from tests.support.vendors.strict import Answer, Asked, Wrong, must_sign_in

USER, PASSWORD = "holdfire", "canary-of-listmonk"
FROM = {
    "draft": {"scheduled"},
    "scheduled": {"draft", "paused"},
    "running": {"paused", "draft"},
    "paused": {"running"},
    "cancelled": {"running", "paused"},
}
SAID = {"running": "Only paused campaigns and drafts can be started.", "paused": "Only active campaigns can be paused."}


class Listmonk(Mailer):
    """Campaigns begin up to five seconds after the command, and are counted every five seconds."""

    def __init__(self, *, rate: float = 50.0) -> None:
        super().__init__(rate=rate, scan_seconds=5.0, count_seconds=5.0)
        self.late = 2

    def answer(self, asked: Asked) -> Answer:
        must_sign_in(asked, USER, PASSWORD)
        self.advance("finished")
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["api", "campaigns", "running", "stats"]:
                return Answer({"data": [self.stats(job) for job in self.jobs.values() if job.status == "running"]})
            case "GET", ["api", "campaigns", job_id]:
                return Answer({"data": self.shown(self.job(job_id))})
            case "PUT", ["api", "campaigns", job_id, "status"]:
                return self.put(self.job(job_id), json.loads(asked.body))
        raise Wrong(404, f"there is no {asked.path}")

    def job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise Wrong(400, "Campaign not found")
        return self.jobs[job_id]

    def stats(self, job: Job) -> dict[str, Any]:
        return {"id": int(job.id), "status": job.status, "sent": job.shown, "rate": 0, "net_rate": 0}

    def shown(self, job: Job) -> dict[str, Any]:
        begun = bool(job.sink) or job.status in {"running", "paused", "finished"}
        sizes = {"to_send": job.recipients if begun else 0, "sent": job.shown}
        return {"id": int(job.id), "name": "Spring", "status": job.status, **sizes}

    def put(self, job: Job, body: dict[str, Any]) -> Answer:
        wish = body["status"]
        self.commands.append(wish)
        if wish not in FROM or job.status not in FROM[wish]:
            raise Wrong(400, SAID.get(wish, "that cannot be"))
        answered = self.shown(job) | {"status": wish}  # what was wished for, whatever is stored
        if wish in self.deaf:
            return Answer({"data": answered})
        if wish == "running" and job.send_at is not None and job.send_at > self.now():
            job.status = "scheduled"
        elif wish == "running":
            self.begin(job, "running")
        else:
            self.stop(job, wish)
        return Answer({"data": answered})
