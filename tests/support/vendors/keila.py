"""A Keila: it answers 202 to a send, puts its messages out later, all at once, and can neither pause nor count."""

from datetime import UTC
from typing import Any

from tests.support.vendors.mailing import Job, Mailer
from tests.support.vendors.strict import Answer, Asked, Wrong, must_bear

TOKEN = "canary-of-keila"


class Keila(Mailer):
    """scan_seconds: how long its transaction takes. Without a sender a campaign is accepted, and never sent."""

    def answer(self, asked: Asked) -> Answer:
        try:
            must_bear(asked, TOKEN)
        except Wrong:
            raise Wrong(403, "Not authorized") from None
        for job in self.jobs.values():
            if job.since is not None and self.now() >= job.since:
                self.send(job, job.recipients)
                job.status, job.send_at, job.since = "sent", job.since, None
        match asked.method, asked.path.split("/")[1:]:
            case "GET", ["api", "v1", "campaigns", job_id]:
                return Answer({"data": self.shown(self.job(job_id))})
            case "POST", ["api", "v1", "campaigns", job_id, "actions", "send"]:
                return self.post(self.job(job_id))
        raise Wrong(404, "Not found")

    def job(self, job_id: str) -> Job:
        if job_id not in self.jobs:
            raise Wrong(404, "Not found")
        return self.jobs[job_id]

    def shown(self, job: Job) -> dict[str, Any]:
        at = job.send_at.astimezone(UTC).isoformat() if job.send_at is not None else None
        sent_at, scheduled_for = (at, None) if job.status == "sent" else (None, at)
        return {"id": job.id, "subject": "Spring", "sent_at": sent_at, "scheduled_for": scheduled_for}

    def post(self, job: Job) -> Answer:
        self.commands.append("send")
        if "send" not in self.deaf and job.status != "sent" and job.since is None:
            self.begin(job, "preparing")
        return Answer({"data": {"delivery_queued": True, "campaign_id": job.id}}, 202)
