"""A desk that hands out permits as it is told to, over an HTTP client's transport: the outside contract and no more."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx2

GO, HOLD, UNKNOWN = "go", "hold", "unknown"
STATUS = {GO: 200, HOLD: 429, UNKNOWN: 503}


@dataclass
class Given:
    """One permit as the desk has it in its book."""

    id: str
    allowed: int
    sent: int = 0
    state: str = "active"
    reported: bool = False
    renewed: int = 0

    def shape(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "state": self.state,
            "must_stop": self.state != "active",
            "allow": self.allowed,
            "sent": self.sent,
            "granted_at": "2026-11-21T15:00:00Z",
            "expires_at": "2026-11-21T16:00:00Z",
            "reason": "slammed" if self.state == "paused" else "",
        }


@dataclass
class Desk:
    """Answers asks by `says` in turn, "go" once they are used up: go, hold, unknown, so many of them, or an error.

    after: called with each request before it is answered, to do what a test wants to happen then.
    """

    says: list[object] = field(default_factory=list)
    after: Callable[[httpx2.Request], None] = lambda _: None
    asks: list[Mapping[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    permits: dict[str, Given] = field(default_factory=dict)

    @property
    def transport(self) -> httpx2.MockTransport:
        return httpx2.MockTransport(self._answer)

    def _answer(self, request: httpx2.Request) -> httpx2.Response:
        self.after(request)
        body = json.loads(request.content or b"{}")
        _, _, rest = request.url.path.partition("/api/v1/permits")
        if not rest:
            return self._ask(body, request.headers["idempotency-key"])
        permit = self.permits[rest.split("/")[1]]
        match rest.split("/")[2:]:
            case ["report"]:
                permit.sent, permit.reported = body["sent"], True
                permit.state = "used" if permit.sent >= permit.allowed else permit.state
            case ["release"]:
                permit.state = "released"
            case ["renew"]:
                permit.renewed += 1
        return httpx2.Response(200, json=permit.shape())

    def _ask(self, body: Mapping[str, Any], key: str) -> httpx2.Response:
        self.asks.append(body)
        self.keys.append(key)
        said = self.says.pop(0) if self.says else GO
        if isinstance(said, Exception):
            raise said
        if isinstance(said, httpx2.Response):
            return said
        audience = body["audience"]
        most = said if isinstance(said, int) else audience if said == GO else 0
        decision = "hold" if not most else "throttle" if most < audience else "send"
        shape = {
            "decision": decision,
            "proceed": most > 0,
            "allow": most,
            "requested": audience,
            "gate": body["gate"],
            "campaign": body.get("campaign"),
            "decision_id": f"dec_{len(self.asks)}",
            "state": said if said in STATUS and said != GO else decision,
            "retry_after_seconds": None if most else 0.01,
            "summary": f"it is {said}",
            "reasons": [],
        }
        return httpx2.Response(STATUS.get(str(said), 200), json=shape | (self._grant(most) if most else {}))

    def _grant(self, allowed: int) -> dict[str, str]:
        permit = Given(f"prm_{len(self.permits) + 1}", allowed)
        self.permits[permit.id] = permit
        return {"permit_id": permit.id, "permit_expires_at": "2026-11-21T16:00:00Z"}
