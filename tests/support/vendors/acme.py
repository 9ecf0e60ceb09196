"""A mailer of somebody's own: nothing like the others, but it can be told over HTTP what to do."""

import json
from typing import Any

from tests.support.vendors.mailing import Mailer
from tests.support.vendors.strict import Answer, Asked, Wrong

TOKEN = "canary-of-acme"
WORDS = {"go": ({"new"}, "live"), "halt": ({"live"}, "held"), "on": ({"held"}, "live")}
TABLE: dict[str, Any] = {
    "type": "http",
    "headers": {"X-Acme-Token": TOKEN},
    "messages_per_second": 50,
    "lag_seconds": 0,
    "start": {"path": "/jobs/{campaign}/do", "json": '{"what": "go", "job": "{campaign}"}'},
    "pause": {"path": "/jobs/{campaign}/do", "json": '{"what": "halt", "job": "{campaign}"}'},
    "resume": {"path": "/jobs/{campaign}/do", "json": '{"what": "on", "job": "{campaign}"}'},
    "status": {"path": "/jobs/{campaign}", "state": "job.state", "sent": "job.counts.out", "target": "job.counts.all"},
    "states": {"new": "ready", "live": "running", "held": "paused", "over": "finished", "dropped": "ended"},
}


class Acme(Mailer):
    """Jobs by id."""

    def answer(self, asked: Asked) -> Answer:
        if asked.headers.get("x-acme-token") != TOKEN:
            raise Wrong(401, "who are you?")
        self.advance("over")
        steps = asked.path.split("/")[1:]
        job = self.jobs.get(steps[1]) if steps[0] == "jobs" and len(steps) > 1 else None
        if job is None:
            raise Wrong(404, "no such job")
        if asked.method == "GET":
            counts = {"out": job.shown, "all": job.recipients}
            return Answer({"job": {"state": job.status, "counts": counts}})
        body = json.loads(asked.body)
        if asked.method != "POST" or steps[2:] != ["do"] or body["job"] != job.id or body["what"] not in WORDS:
            raise Wrong(400, "that cannot be done")
        self.commands.append(body["what"])
        before, after = WORDS[body["what"]]
        if body["what"] not in self.deaf and job.status in before:
            (self.begin if after == "live" else self.stop)(job, after)
        return Answer({"ok": True})
