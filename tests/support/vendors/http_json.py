"""An ACD with a JSON address of its own making: nested, in milliseconds, full of what nobody may keep."""

from dataclasses import dataclass

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_bear

TOKEN = "acd-t0ken"
PATH = "/api/v2/live"
# What must never be seen anywhere: a caller's number and name, and a secret.
CANARIES = ("+1 555 0177 321", "Wilhelmina Quastenflosser", TOKEN)


@dataclass
class Line:
    """How one queue stands; None: the system does not say."""

    backlog: int | None = 0
    oldest_ms: int | None = None
    staffed: int | None = 10


class Acd(Vendor):
    """Says how its queues stand to who bears the token and asks for the live view."""

    def __init__(self, **queues: Line) -> None:
        super().__init__()
        self.queues = queues

    def answer(self, asked: Asked) -> Answer:
        must_be(asked, "GET", PATH)
        must_bear(asked, TOKEN)
        if asked.params != {"view": "live"}:
            raise Wrong(400, "view=live is missing")
        number, name, _ = CANARIES
        rows = [
            {
                "queue": {"id": queue, "media": "voice"},
                "stats": {"waiting": line.backlog, "oldestMs": line.oldest_ms, "staffed": line.staffed},
                "oldestCaller": {"number": number, "name": name},
            }
            for queue, line in self.queues.items()
        ]
        return Answer({"asOf": self.now().isoformat(), "data": {"rows": rows}})

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this system."""
        return {
            "type": "http-json",
            "name": "acd",
            "url": self.url(f"{PATH}?view=live"),
            "bearer_token": TOKEN,
            "mapping": {
                "rows": "data.rows",
                "queue_from": "queue.id",
                "channel_from": "queue.media",
                "observed_at_from": "asOf",
                "observed_at_in": "document",
                "metrics": {
                    "backlog": "stats.waiting",
                    "oldest_wait_seconds": {"from": "stats.oldestMs", "unit": "milliseconds"},
                    "agents_staffed": "stats.staffed",
                },
            },
        } | values
