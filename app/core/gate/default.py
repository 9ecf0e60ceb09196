"""The policy a fresh installation starts with: useful over any queue, before anybody has written one."""


def default_policy_document() -> dict[str, object]:
    """Return the default gate's policy document, a new one each time; `parse_policy` accepts it.

    It watches every queue. Only the backlog must be reported, because every contact-center system knows it; the other
    rules judge a queue where its source says more. The limits suit a small team of agents: a large one raises them.
    """
    return {
        "queues": ["*"],
        "time_zone": "UTC",
        "mode": "enforce",
        # Two missed reports of a source that is polled every minute.
        "stale_after_seconds": 120,
        "rules": [
            # Ten people in line is some minutes of work for a team of ten; half of that is a line that moves again.
            _rule("backlog", hold_above=10, resume_below=5, on_missing="unknown"),
            # One person who has waited for two minutes shows a stuck queue long before any average does.
            _rule("oldest_wait_seconds", hold_above=120, resume_below=60),
            # One in twelve giving up is past what the field calls healthy (5 %). Few ended waits say nothing, so 20.
            _rule("abandonment_ratio", hold_above=0.08, resume_below=0.05, window_seconds=900, min_samples=20),
            # An average over ten answered contacts is the least that one long wait does not decide alone.
            _rule("speed_to_answer_seconds", hold_above=60, resume_below=30, window_seconds=300, min_samples=10),
            # The customary target is 80 % in 20 s: held some way under it, resumed once it is met again.
            _rule("service_level_ratio", hold_below=0.70, resume_above=0.80, window_seconds=900, min_samples=15),
        ],
    }


def _rule(metric: str, *, on_missing: str = "ignore", **members: float) -> dict[str, object]:
    """Return a rule that trips after half a minute, so no single burst does, and resumes after five calm minutes."""
    return {"metric": metric, **members, "hold_for_seconds": 30, "resume_for_seconds": 300, "on_missing": on_missing}
