"""How a delivery's body is written."""

from enum import StrEnum
from typing import assert_never

from app.core.event import Event
from app.core.webhooks.chat import slack_body, teams_body
from app.core.webhooks.standard import standard_body


class Form(StrEnum):
    """standard is for programs; slack and teams are for people."""

    STANDARD = "standard"
    SLACK = "slack"
    TEAMS = "teams"


def body_of(form: Form, seq: int, event: Event) -> bytes:
    """Return the body that tells of an event, the seq-th in the book."""
    match form:
        case Form.STANDARD:
            return standard_body(seq, event)
        case Form.SLACK:
            return slack_body(seq, event)
        case Form.TEAMS:
            return teams_body(seq, event)
        case _:
            assert_never(form)
