"""A small contact center for the pages to show: queues in one of four moods, pushed over HTTP like any source's."""

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

QUEUES = ("billing-voice", "care-chat", "orders-voice", "orders-mail")
ZONE = "America/Chicago"
POLICY: dict[str, Any] = {
    "queues": ["*"],
    "time_zone": ZONE,
    "mode": "enforce",
    "stale_after_seconds": 120,
    "rules": [
        {"metric": "backlog", "hold_above": 10, "resume_below": 5},
        {"metric": "oldest_wait_seconds", "hold_above": 180, "resume_below": 90},
        {
            "metric": "service_level_ratio",
            "window_seconds": 900,
            "hold_below": 0.75,
            "resume_above": 0.85,
            "min_samples": 10,
            "resume_for_seconds": 300,
        },
    ],
}
GOOD = {"billing-voice": 3, "care-chat": 1, "orders-voice": 2, "orders-mail": 0}
BUSY = GOOD | {"orders-voice": 14}
MINUTES_OF_PAST = 100


def use_policy(client: httpx2.Client, **changes: Any) -> None:
    """Save the policy of these tests, with changes, for the default gate."""
    answer = client.put("/api/v1/gates/default/policy", json=POLICY | changes, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def observation(queue: str, backlog: int, at: datetime) -> dict[str, Any]:
    """Return what one source says of a queue with that many contacts waiting: the more wait, the worse all else."""
    within = 46 if backlog <= 10 else 33
    return {
        "queue": queue,
        "observed_at": at.isoformat(),
        "source": "acd-1",
        "channel": queue.partition("-")[2],
        "backlog": backlog,
        "oldest_wait_seconds": backlog * 17.0,
        "contacts_in_progress": 36,
        "agents_staffed": 40,
        "agents_available": max(0, 5 - backlog),
        "agents_busy": 36,
        "window_seconds": 300,
        "offered": 52,
        "answered": 47,
        "abandoned": 3,
        "answered_within_target": within,
        "wait_seconds_sum": 47.0 * (8 + backlog * 4),
        "handle_seconds_sum": 14570.0,
    }


def push(client: httpx2.Client, backlogs: dict[str, int], at: datetime | None = None) -> None:
    """Report every queue once, now or at an instant gone by."""
    at = at or datetime.now(UTC)
    answer = client.post("/api/v1/observations", json=[observation(queue, n, at) for queue, n in backlogs.items()])
    assert answer.status_code == 200, answer.text


def push_past(client: httpx2.Client, until: datetime, usual: dict[str, int] = GOOD) -> None:
    """Report a hundred minutes that end at `until`, with a wave of waiting customers in the orders queue."""
    wave = itertools.cycle([2, 3, 2, 4, 5, 8, 12, 14, 13, 9, 6, 4, 3, 2, 1, 2])
    steps = range(MINUTES_OF_PAST, 0, -1)
    batch = [
        observation(queue, height if queue == "orders-voice" else backlog, until - timedelta(minutes=minute))
        for minute, height in zip(steps, wave, strict=False)
        for queue, backlog in usual.items()
    ]
    answer = client.post("/api/v1/observations", json=batch)
    assert answer.status_code == 200, answer.text
