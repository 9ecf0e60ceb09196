"""What clients of an installation were told, noted as it happened: the half of the evidence that no fault can touch.

`Told` takes notes from any number of threads, and from clients of any number of processes. `Client` is a sender and a
source that takes its notes by itself. tests.support.reference judges them against what the database has afterwards.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import time_ns
from typing import Any, NamedTuple, Self

import httpx2

OK = 200
Shape = dict[str, Any]


def now_us() -> int:
    """Return the instant in microseconds since 1970."""
    return time_ns() // 1_000


def micros(text: str) -> int:
    """Return the instant that an RFC 3339 text names, in microseconds since 1970."""
    since = datetime.fromisoformat(text) - datetime.fromtimestamp(0, UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


class Answer(NamedTuple):
    """An answer to readiness or to an ask for a permit, whatever it said, and between which instants it was made."""

    asked_us: int
    heard_us: int
    body: Mapping[str, Any]


class Granted(NamedTuple):
    """A permit as its sender heard of it."""

    permit: str
    allow: int


@dataclass
class Told:
    """Everything clients were told. Appending is all that is ever done to it, so threads need no lock.

    observations: when each was acknowledged first, by source, queue and instant. policies, overrides: when each was
    acknowledged, a policy by gate and version. keys: every key that a permit was asked for with, answered or not;
    granted: what each was told.
    """

    observations: dict[tuple[str, str, int], int] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    granted: dict[str, set[Granted]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    policies: dict[tuple[str, int], int] = field(default_factory=dict)
    overrides: dict[str, int] = field(default_factory=dict)

    def acknowledged(self, observations: Sequence[Mapping[str, Any]], at_us: int) -> None:
        """Note observations that were all accepted, or had been before. Each names its source."""
        for each in observations:
            key = each["source"], each["queue"], micros(each["observed_at"])
            self.observations.setdefault(key, at_us)

    def answered(self, asked_us: int, heard_us: int, body: Mapping[str, Any]) -> None:
        """Note an answer. asked_us: the earliest instant at which it can have been made."""
        self.answers.append(Answer(asked_us, heard_us, body))


class Client:
    """One source and sender. Each method returns the response, None where none came, and notes what it said."""

    def __init__(self, url: str, told: Told, *, key: str | None = None, timeout: float = 60.0) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self.told = told
        self.http = httpx2.Client(base_url=url, headers=headers, timeout=timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def report(self, *observations: Mapping[str, Any]) -> httpx2.Response | None:
        """Report observations, noted when all of them were taken."""
        response = self._send("POST", "/api/v1/observations", json=list(observations))
        if response is not None and response.status_code == OK and not response.json()["rejected"]:
            self.told.acknowledged(observations, now_us())
        return response

    def ask(self, **parameters: Any) -> httpx2.Response | None:
        """Ask whether a send may go."""
        asked_us = now_us()
        response = self._send("GET", "/api/v1/readiness", params=parameters)
        if response is not None:
            self._note(asked_us, response)
        return response

    def permit(self, key: str, audience: int, **members: Any) -> httpx2.Response | None:
        """Ask for a permit under an idempotency key."""
        body = {"gate": "default", "audience": audience} | members
        is_new, asked_us = key not in self.told.keys, now_us()
        self.told.keys.add(key)
        response = self._send("POST", "/api/v1/permits", json=body, headers={"Idempotency-Key": key})
        if response is not None:
            if is_new:  # a repeat is the answer of then, word for word, whether that was heard or not
                self._note(asked_us, response)
            if response.status_code == OK:
                answer = response.json()
                self.told.granted.setdefault(key, set()).add(Granted(answer["permit_id"], answer["allow"]))
        return response

    def release(self, permit: str) -> httpx2.Response | None:
        """Give back what is left of a permit."""
        return self._send("POST", f"/api/v1/permits/{permit}/release")

    def save(self, policy: Mapping[str, Any], gate: str = "default") -> httpx2.Response | None:
        """Save a gate's policy, whatever the version before."""
        path = f"/api/v1/gates/{gate}/policy"
        response = self._send("PUT", path, json=dict(policy), headers={"If-Match": "*"})
        if response is not None and response.is_success:
            self.told.policies[gate, int(response.headers["ETag"].strip('"'))] = now_us()
        return response

    def override(self, effect: str, minutes: float, gate: str = "default", **members: Any) -> httpx2.Response | None:
        """Hold or allow a gate by hand."""
        body = {"effect": effect, "duration_minutes": minutes, "comment": "for a test"} | members
        response = self._send("POST", f"/api/v1/gates/{gate}/overrides", json=body)
        if response is not None and response.is_success:
            self.told.overrides[response.json()["id"]] = now_us()
        return response

    def _note(self, asked_us: int, response: httpx2.Response) -> None:
        body: Shape = response.json()
        if "evaluated_at" in body:
            self.told.answered(asked_us, now_us(), body)

    def _send(self, method: str, path: str, **how: Any) -> httpx2.Response | None:
        try:
            return self.http.request(method, path, **how)
        except httpx2.HTTPError:
            return None
