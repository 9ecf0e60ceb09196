"""An instance of Amazon Connect: its two questions about metrics, as the published model of the service has them.

Strict about the signature's form, region and key, the quota's answers, tokens of pages, filters and windows. A queue in
which nobody waits and to which no agent is logged in has no row at all.
"""

import json
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong

REGION, ACCOUNT, INSTANCE = "eu-central-1", "123456789012", "11111111-aaaa-4bbb-8ccc-222222222222"
ARN = f"arn:aws:connect:{REGION}:{ACCOUNT}:instance/{INSTANCE}"
KEY_ID, SECRET = "AKIAFAKEFAKEFAKEFAKE", "canary/s3cr3t"
QUEUE_ID, OTHER_ID = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
LIFE_OF_A_TOKEN = timedelta(minutes=5)
UNITS = {
    "CONTACTS_IN_QUEUE": "COUNT", "OLDEST_CONTACT_AGE": "SECONDS", "SLOTS_ACTIVE": "COUNT", "AGENTS_STAFFED": "COUNT",
    "AGENTS_AVAILABLE": "COUNT", "AGENTS_ON_CONTACT": "COUNT",
}  # fmt: skip
WITH_THRESHOLD = {"SUM_CONTACTS_ANSWERED_IN_X", "SERVICE_LEVEL"}
PLAIN = {"CONTACTS_QUEUED", "CONTACTS_HANDLED", "CONTACTS_ABANDONED", "AVG_QUEUE_ANSWER_TIME", "AVG_HANDLE_TIME"}
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/connect/aws4_request, "
    r"SignedHeaders=[^,]*host[^,]*, Signature=[0-9a-f]{64}"
)


@dataclass
class Channel:
    """How a queue stands in one channel, and what was in the window; None: null."""

    now: dict[str, float | None] = field(default_factory=dict)
    window: dict[str, float | None] = field(default_factory=dict)

    @property
    def idle(self) -> bool:
        return not any(self.now.values())


def waiting(backlog: int | None, oldest: float | None = None, staffed: int = 5, available: int = 1) -> Channel:
    """Return a channel in which so many wait."""
    counts = {"CONTACTS_IN_QUEUE": backlog, "OLDEST_CONTACT_AGE": oldest, "SLOTS_ACTIVE": staffed - available}
    agents = {"AGENTS_STAFFED": staffed, "AGENTS_AVAILABLE": available, "AGENTS_ON_CONTACT": staffed - available}
    return Channel(counts | agents)


class Connect(Vendor):
    """queues: by id, their channels. page: rows on one page. windows_fail: whether windows cannot be asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.queues: dict[str, dict[str, Channel]] = {}
        self.page = 100
        self.windows_fail = False
        self.tokens: dict[str, Any] = {}

    def answer(self, asked: Asked) -> Answer:
        self._must_be_signed(asked)
        if asked.method != "POST":
            raise Wrong(405, "only POST")
        question = json.loads(asked.body)
        if asked.path == f"/metrics/current/{INSTANCE}":
            return self._paged(question, self._current(question), {"DataSnapshotTime": self.now().timestamp()})
        if asked.path == "/metrics/data" and self.windows_fail:
            return Answer({"message": "something went wrong"}, 500)
        if asked.path == "/metrics/data":
            return self._paged(question, self._windowed(question), {})
        raise Wrong(404, "there is no such operation")

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this instance."""
        return {
            "type": "amazon-connect",
            "name": "connect",
            "instance_arn": ARN,
            "access_key_id": KEY_ID,
            "secret_access_key": SECRET,
            "endpoint_url": self.url(),
            "queues": {"day-voice": QUEUE_ID},
            "requests_per_second": 1000,
            "window_interval_seconds": 0,
        } | values

    def _must_be_signed(self, asked: Asked) -> None:
        signed = _SIGNED.fullmatch(asked.headers.get("authorization", ""))
        if signed is None:
            raise Wrong(403, "the request is not signed")
        if signed["key"] != KEY_ID or signed["region"] != REGION:
            raise Wrong(403, "another key, or signed for another region")

    def _current(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        filters, groupings = question["Filters"], question.get("Groupings")
        if not 1 <= len(filters["Queues"]) <= 100 or "Channels" not in filters:
            raise Wrong(400, "1 to 100 queues, and a filter of channels where they are grouped")
        if groupings != ["QUEUE", "CHANNEL"]:
            raise Wrong(400, "ungrouped ages come in milliseconds")
        if any(UNITS.get(each["Name"]) != each.get("Unit") for each in question["CurrentMetrics"]):
            raise Wrong(400, "no such metric in this unit")
        return [
            {
                "Dimensions": {"Queue": {"Id": queue, "Arn": f"{ARN}/queue/{queue}"}, "Channel": name},
                "Collections": [
                    {"Metric": each} | ({} if (value := channel.now.get(each["Name"])) is None else {"Value": value})
                    for each in question["CurrentMetrics"]
                ],
            }
            for queue in filters["Queues"]
            for name, channel in self.queues.get(queue, {}).items()
            if name in filters["Channels"] and not channel.idle
        ]

    def _windowed(self, question: dict[str, Any]) -> list[dict[str, Any]]:
        filters = {each["FilterKey"]: each["FilterValues"] for each in question["Filters"]}
        if question["ResourceArn"] != ARN or not 1 <= len(filters["QUEUE"]) <= 100:
            raise Wrong(400, "another instance, or no queues")
        start, end = question["StartTime"], question["EndTime"]
        if not start < end <= self.now().timestamp():
            raise Wrong(400, "the window must be over")
        metrics = question["Metrics"]
        if any((each["Name"] in WITH_THRESHOLD) != ("Threshold" in each) for each in metrics) or not all(
            each["Name"] in WITH_THRESHOLD | PLAIN for each in metrics
        ):
            raise Wrong(400, "a metric without its threshold, or none at all")
        return [
            {
                "Dimensions": {"QUEUE": queue, "QUEUE_ARN": f"{ARN}/queue/{queue}"},
                "MetricInterval": {"Interval": "TOTAL", "StartTime": start, "EndTime": end},
                "Collections": [{"Metric": each, "Value": channel.window.get(each["Name"])} for each in metrics],
            }
            for queue in filters["QUEUE"]
            for name, channel in self.queues.get(queue, {}).items()
            if name == "VOICE" and channel.window
        ]

    def _paged(self, question: dict[str, Any], rows: list[dict[str, Any]], beside: dict[str, Any]) -> Answer:
        token, start = question.pop("NextToken", None), 0
        if token is not None:
            start, same, taken_at = self.tokens.pop(token, (0, None, self.now()))
            if same != question or self.now() - taken_at > LIFE_OF_A_TOKEN:
                raise Wrong(400, "the page's token is not good, or no longer")
        end = start + min(self.page, question.get("MaxResults", 100))
        body = {"MetricResults": rows[start:end], "ApproximateTotalCount": len(rows), **beside}
        if end < len(rows):
            body["NextToken"] = f"token-{len(self.asked)}"
            self.tokens[body["NextToken"]] = (end, question, self.now())
        return Answer(body)


def contact_event(kind: str, at: str, contact: str = "bbbbbbbb-0000-4000-8000-000000000009", **detail: Any) -> Any:
    """Return an event as EventBridge sends it on, with the names of its keys as in the samples of the manual."""
    return {
        "version": "0",
        "id": "cccccccc-0000-4000-8000-00000000000c",
        "detail-type": "Amazon Connect Contact Event",
        "source": "aws.connect",
        "account": ACCOUNT,
        "time": at,
        "region": REGION,
        "resources": [ARN, f"{ARN}/contact/{contact}"],
        "detail": {
            "eventType": kind,
            "contactId": contact,
            "channel": "VOICE",
            "instanceArn": ARN,
            "initiationMethod": "INBOUND",
            "initiationTimestamp": at,
            "queueInfo": {"queueArn": f"{ARN}/queue/{OTHER_ID}", "queueType": "STANDARD", "enqueueTimestamp": at},
        }
        | detail,
    }
