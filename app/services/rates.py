"""How often each key may ask: a bucket of tokens per key that has a limit, in memory, by the wall's stopwatch."""

import time
from collections.abc import Callable
from functools import lru_cache

from app.core.client_profile import ClientProfile
from app.core.gate.decision import Reason, ReasonCode, Verdict
from app.services.reply import Reply, finished, retry_after, whole_seconds
from app.services.shapes import reason_shape

TYPE, TITLE = "/docs#problem-client-rate", "The client asks too often"
TOO_MANY = 429


class Rates:
    """Counts the requests of keys with a max_rps. refused is told of each one too many."""

    def __init__(
        self, refused: Callable[[], None] = lambda: None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._refused, self._monotonic = refused, monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def refusal(self, key_id: str, profile: ClientProfile) -> Reply | None:
        """Return None where the key may ask now, which counts as having asked; else the finished answer that refuses.

        A second's worth of requests, at least one, may come at once.
        """
        if profile.max_rps is None:
            return None
        now, most = self._monotonic(), max(1.0, profile.max_rps)
        tokens, at = self._buckets.get(key_id, (most, now))
        tokens = min(most, tokens + (now - at) * profile.max_rps)
        if tokens >= 1.0:
            self._buckets[key_id] = tokens - 1.0, now
            return None
        self._buckets[key_id] = tokens, now
        self._refused()
        return _too_often(profile, whole_seconds((1.0 - tokens) / profile.max_rps))


@lru_cache(maxsize=1024)
def _too_often(profile: ClientProfile, wait: int) -> Reply:
    """Return the answer to a request too many: a problem that also reads as a hold. Nothing was looked at."""
    message = f"this key may ask {profile.max_rps:g} times per second; ask again in {wait} s"
    reason = Reason(ReasonCode.CLIENT_RATE, message, op="<=", limit=profile.max_rps, unit="per second", binding=True)
    body = {
        "decision": Verdict.HOLD,
        "proceed": False,
        "branchResult": Verdict.HOLD,
        "allow": 0,
        "retry_after_seconds": wait,
        "decision_id": None,
        "summary": message,
        "reasons": [reason_shape(reason)],
        "type": TYPE,
        "title": TITLE,
        "status": TOO_MANY,
        "detail": message,
        "instance": "",
        "request_id": None,
    }
    headers = [
        (b"cache-control", b"no-store"),
        (b"holdfire-decision", b"hold"),
        (b"x-content-type-options", b"nosniff"),
        (b"content-type", b"application/problem+json"),
        (b"retry-after", retry_after(wait, profile)),
    ]
    return finished(TOO_MANY, headers, body)
