"""Prometheus' query API, as its documentation has it: for the queries that a test knows, and for no other."""

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_sign_in

USER, PASSWORD = "holdfire", "prom-passw0rd"
AT_QUERY = "min by (queue) (timestamp(acd_waiting))"
WAITING_QUERY = "sum by (queue) (acd_waiting)"
OLDEST_QUERY = "max by (queue) (acd_oldest_milliseconds)"


class Prometheus(Vendor):
    """Looks back five minutes, as the real one does: what was scraped at scraped_at is told until then.

    series: per query the values by queue, as texts; warnings: said beside every answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.series: dict[str, dict[str, str]] = {WAITING_QUERY: {}, OLDEST_QUERY: {}}
        self.scraped_at: float | None = None
        self.warnings: list[str] = []
        self.times: list[float] = []

    def answer(self, asked: Asked) -> Answer:
        must_be(asked, "GET", "/prom/api/v1/query")
        must_sign_in(asked, USER, PASSWORD)
        if not set(asked.params) <= {"query", "time", "timeout"}:
            raise Wrong(400, f"unknown parameters: {sorted(asked.params)}")
        query = asked.params["query"]
        if query != AT_QUERY and query not in self.series:
            raise Wrong(400, "parse error")
        at = float(asked.params.get("time", self.now().timestamp()))
        self.times.append(at)
        scraped = self.scraped_at if self.scraped_at is not None else at - 2
        if not -1 <= at - scraped < 300:
            values = {}
        elif query == AT_QUERY:
            values = dict.fromkeys(self.series[WAITING_QUERY], f"{scraped:.3f}")
        else:
            values = self.series[query]
        result = [
            {"metric": {"queue": queue, "agent": "+1 555 0177 321"}, "value": [at, text]}
            for queue, text in values.items()
        ]
        said = {"warnings": self.warnings} if self.warnings else {"infos": ["PromQL info: this is only an info"]}
        return Answer({"status": "success", "data": {"resultType": "vector", "result": result}, **said})

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this one."""
        return {
            "type": "prometheus",
            "name": "prom",
            "url": self.url("/prom/"),
            "username": USER,
            "password": PASSWORD,
            "queue_label": "queue",
            "channel": "voice",
            "observed_at_query": AT_QUERY,
            "metrics": {
                "backlog": WAITING_QUERY,
                "oldest_wait_seconds": {"query": OLDEST_QUERY, "unit": "milliseconds"},
            },
        } | values
