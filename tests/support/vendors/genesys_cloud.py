"""An organisation in Genesys Cloud: its login, the observations query, and notification channels over WebSockets.

Strict about credentials, tokens, the form of questions, topics and their number. Messages tell only what a test says
has changed, and carry what the real ones never should: a caller's number.
"""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.server import Server, ServerConnection, serve

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_bear, must_sign_in, serving

CLIENT, SECRET = "client-1", "canary-genesys-secret"
QUEUE_ID, OTHER_ID = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
METRICS = {"oWaiting", "oLongestWaiting", "oInteracting", "oUserRoutingStatuses"}
QUERY, CHANNELS = "/api/v2/analytics/queues/observations/query", "/api/v2/notifications/channels"
MOST_TOPICS, MOST_CHANNELS = 1000, 20
_QUIET = logging.getLogger(f"{__name__}.server")
_QUIET.setLevel(logging.INFO)  # what it sends are canaries


def metric(name: str, value: float | None, qualifier: str | None = None) -> dict[str, Any]:
    """Return a metric as the system writes it; null where there is no value."""
    stat = "calculatedMetricValue" if name == "oLongestWaiting" else "count"
    return {"metric": name, "stats": {stat: value}} | ({"qualifier": qualifier} if qualifier else {})


class Genesys(Vendor):
    """groups: what the query answers, by queue and medium ("" for users). number: stands where callers' numbers do."""

    def __init__(self, number: str = "+15550177321") -> None:
        super().__init__()
        self.groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.number, self.lasts = number, 86_400
        self.tokens = 0
        self.channels: dict[str, list[str]] = {}
        self.sockets: dict[str, ServerConnection] = {}
        self.stream_port, self.stream_host = 0, "127.0.0.1"
        self.refuses_channels = False

    @property
    def token(self) -> str:
        return f"genesys-t0ken-{self.tokens}"

    def wait(self, queue: str, media: str, backlog: int | None, seconds: float = 0) -> None:
        """Let so many wait in a medium, the oldest for so long, in what the query answers."""
        since = self.now().timestamp() * 1000 - seconds * 1000 if backlog else None
        self.groups[queue, media] = [metric("oWaiting", backlog), metric("oLongestWaiting", since)]

    def answer(self, asked: Asked) -> Answer:
        if asked.path == "/oauth/token":
            return self._login(asked)
        must_bear(asked, self.token)
        if asked.path == QUERY:
            return self._query(asked)
        if asked.path == CHANNELS:
            return self._new_channel(asked)
        channel = asked.path.removeprefix(f"{CHANNELS}/").removesuffix("/subscriptions")
        if channel not in self.channels:
            raise Wrong(404, "there is no such channel")
        must_be(asked, "PUT", f"{CHANNELS}/{channel}/subscriptions")
        topics = [each["id"] for each in json.loads(asked.body)]
        if len(topics) > MOST_TOPICS or any("conversations" in topic for topic in topics):
            raise Wrong(400, "too many topics, or one that carries callers")
        self.channels[channel] = topics
        return Answer({"entities": [{"id": topic} for topic in topics]})

    def tell(self, queue: str, media: str, *metrics: dict[str, Any], interval: str | None = None) -> None:
        """Send a message to who follows this queue."""
        now = self.now().isoformat()
        group = {"queueId": queue} | ({"mediaType": media} if media else {})
        data = [{"interval": interval or f"{now}/{now}", "metrics": list(metrics)}]
        topic = f"v2.analytics.queues.{queue}.observations"
        self.send({"topicName": topic, "version": "2", "eventBody": {"group": group, "data": data, "ani": self.number}})

    def send(self, message: object) -> None:
        """Send to all who follow the message's topic, or to all where it is of no queue."""
        topic = message["topicName"] if isinstance(message, dict) else ""
        for channel, socket in list(self.sockets.items()):
            if "queues" not in topic or topic in self.channels[channel]:
                with suppress(WebSocketException):
                    socket.send(message if isinstance(message, str) else json.dumps(message))

    def cut(self) -> None:
        """Close all connections of channels."""
        for socket in list(self.sockets.values()):
            socket.close()

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that follows this organisation."""
        return {
            "type": "genesys-cloud",
            "name": "genesys",
            "region": "mypurecloud.de",
            "login_url": self.url(),
            "api_url": self.url(),
            "client_id": CLIENT,
            "client_secret": SECRET,
            "queues": {"day-voice": QUEUE_ID},
            "interval_seconds": 0.05,
        } | values

    def talk(self, socket: ServerConnection) -> None:
        """Serve one WebSocket until it ends."""
        channel = (socket.request.path if socket.request else "").rpartition("/")[2]
        if channel not in self.channels:
            socket.close(1008)
            return
        self.sockets[channel] = socket
        self.send({"topicName": "channel.metadata", "eventBody": {"message": "WebSocket Heartbeat"}})
        with suppress(WebSocketException):
            for _ in socket:
                pass
        self.sockets.pop(channel, None)

    def _login(self, asked: Asked) -> Answer:
        must_be(asked, "POST", "/oauth/token")
        must_sign_in(asked, CLIENT, SECRET)
        if asked.body != b"grant_type=client_credentials":
            raise Wrong(400, "another grant")
        self.tokens += 1
        return Answer({"access_token": self.token, "token_type": "bearer", "expires_in": self.lasts})

    def _query(self, asked: Asked) -> Answer:
        question = json.loads(asked.body)
        predicates = question["filter"]["predicates"]
        if asked.method != "POST" or not set(question["metrics"]) <= METRICS or "detailMetrics" in question:
            raise Wrong(400, "metrics that there are not, or details, which are cut off at 100")
        if any((each["dimension"], each["operator"]) != ("queueId", "matches") for each in predicates):
            raise Wrong(400, "another filter")
        wanted = {each["value"] for each in predicates}
        results = [
            {"group": {"queueId": queue} | ({"mediaType": media} if media else {}), "data": data}
            for (queue, media), data in self.groups.items()
            if queue in wanted
        ]
        return Answer({"results": results})

    def _new_channel(self, asked: Asked) -> Answer:
        must_be(asked, "POST", CHANNELS)
        if self.refuses_channels:
            return Answer({"message": "no more channels"}, 500)
        if len(self.channels) >= MOST_CHANNELS:
            del self.channels[next(iter(self.channels))]
        channel = f"streaming-{len(self.asked)}"
        self.channels[channel] = []
        return Answer({"id": channel, "connectUri": f"ws://{self.stream_host}:{self.stream_port}/channels/{channel}"})


@contextmanager
def serving_genesys(genesys: Genesys) -> Iterator[Genesys]:
    """Yield an organisation that listens, over HTTP and WebSockets."""
    server: Server = serve(genesys.talk, "127.0.0.1", 0, logger=_QUIET)
    genesys.stream_port = server.socket.getsockname()[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        with serving(genesys):
            yield genesys
    finally:
        genesys.cut()
        server.shutdown()
        thread.join(5)
