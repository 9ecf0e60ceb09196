"""What every fake email tool has: campaigns that are sent at a rate, message by message, into a sink."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tests.support.vendors.strict import Vendor


@dataclass
class Job:
    """One of the tool's own campaigns. sink: who got it, in order; shown: how many of these the tool has counted."""

    id: str
    recipients: int
    status: str
    sink: list[int] = field(default_factory=list, repr=False)
    shown: int = 0
    since: datetime | None = None  # when it began to send, or was asked last; None: it does not send
    part: float = 0.0
    counted_at: datetime | None = None
    send_at: datetime | None = None


class Mailer(Vendor):
    """A tool that sends `rate` messages per second of its clock while a job runs, and `late` more once it is paused.

    scan_seconds: how long after a command it begins. count_seconds: how often it counts. deaf: commands that it says
    yes to and does not follow.
    """

    def __init__(self, *, rate: float = 50.0, scan_seconds: float = 0.0, count_seconds: float = 0.0) -> None:
        super().__init__()
        self.rate, self.scan_seconds, self.count_seconds = rate, scan_seconds, count_seconds
        self.late = 0
        self.deaf: set[str] = set()
        self.commands: list[str] = []
        self.jobs: dict[str, Job] = {}

    def add(self, job_id: str, recipients: int, status: str) -> Job:
        job = self.jobs[job_id] = Job(job_id, recipients, status)
        return job

    def advance(self, finished: str) -> None:
        """Send what was to be sent by now, and count it where it is time."""
        now = self.now()
        for job in self.jobs.values():
            if job.since is None or job.counted_at is None or now <= job.since:
                continue
            job.part += (now - job.since).total_seconds() * self.rate
            whole, job.part = int(job.part), job.part % 1
            job.since = now
            self.send(job, whole)
            if len(job.sink) == job.recipients:
                job.status, job.since, job.shown = finished, None, job.recipients
            elif now - job.counted_at >= timedelta(seconds=self.count_seconds):
                job.counted_at, job.shown = now, len(job.sink)

    def send(self, job: Job, messages: int) -> None:
        have = len(job.sink)
        job.sink.extend(range(have, min(job.recipients, have + messages)))

    def begin(self, job: Job, status: str) -> None:
        job.status, job.part = status, 0.0
        job.since = job.counted_at = self.now() + timedelta(seconds=self.scan_seconds)

    def stop(self, job: Job, status: str) -> None:
        """Stop a job: what is on its way still goes, and then all is counted."""
        if job.since is not None:
            self.send(job, self.late)
        job.status, job.since, job.shown = status, None, len(job.sink)
