"""A Zendesk Talk account: strict about the token, the path, and the phone numbers that there are."""

from typing import Any

from tests.support.vendors.strict import Answer, Asked, Vendor, Wrong, must_be, must_sign_in

USER, TOKEN = "holdfire@acme.example/token", "canary-zendesk-t0ken"
PATH = "/api/v2/channels/voice/stats/current_queue_activity"


def activity(calls: object = 0, longest: object = 0, **more: Any) -> dict[str, Any]:
    """Return the activity as the reference shows it; average_wait_time is of the whole day."""
    return {
        "agents_online": 6,
        "calls_waiting": calls,
        "callbacks_waiting": 2,
        "embeddable_callbacks_waiting": 1,
        "ai_agent_calls": 0,
        "average_wait_time": 44,
        "longest_wait_time": longest,
    } | more


class Talk(Vendor):
    """lines: the activity by phone_number_ids as they are asked for, "" for the whole account."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: dict[str, dict[str, Any]] = {}

    def answer(self, asked: Asked) -> Answer:
        must_sign_in(asked, USER, TOKEN)
        must_be(asked, "GET", PATH)
        if not set(asked.params) <= {"phone_number_ids"}:
            raise Wrong(400, "parameters that there are not")
        numbers = asked.params.get("phone_number_ids", "")
        if numbers not in self.lines:
            raise Wrong(400, "there are no such phone numbers")
        return Answer({"current_queue_activity": self.lines[numbers]})

    def table(self, **values: object) -> dict[str, object]:
        """Return the [[sources]] table that reads this account."""
        return {
            "type": "zendesk-talk",
            "name": "zendesk",
            "url": self.url("/"),
            "username": USER,
            "password": TOKEN,
            "queues": {"day-voice": "all"},
        } | values
