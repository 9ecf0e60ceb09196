"""How requests to any tool are filled in, and its answers read, as configured. Pure; no code of users runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from app.core.sending.standing import SendingState, Standing
from workers.senders.speaking import NotUnderstood, count, step

PLACEHOLDER = "{campaign}"
_BRACES = re.compile(r"[{}]")


@dataclass(frozen=True, slots=True)
class Template:
    """One request: {campaign} in its path and in the texts of its body stands for the campaign's id."""

    method: str
    path: str
    body: Mapping[str, Any] | None = None

    def path_for(self, campaign: str) -> str:
        """Return the path for one campaign; its id is one step of it whatever is in it."""
        return self.path.replace(PLACEHOLDER, step(campaign))

    def body_for(self, campaign: str) -> Mapping[str, Any] | None:
        """Return the body for one campaign."""
        return None if self.body is None else {name: _filled(each, campaign) for name, each in self.body.items()}


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the answer about a campaign says what, as JMESPath; states: what the tool's words for its states mean."""

    state: ParsedResult
    sent: ParsedResult
    states: Mapping[str, SendingState]
    target: ParsedResult | None = None


def path_fault(path: str) -> str | None:
    """Return why a path cannot be a template, None when it can."""
    if not path.startswith("/") or path.startswith("//") or not path.isprintable() or " " in path:
        return "must begin with one /, and be an address's path"
    if _BRACES.search(path.replace(PLACEHOLDER, "")):
        return f"only {PLACEHOLDER} can be filled in"
    steps = path.split("?", maxsplit=1)[0].split("/")
    return "must not lead upwards" if any(each in {".", ".."} for each in steps) else None


def standing_of(document: Any, reading: Reading) -> Standing:
    """Return how a campaign stands by an answer. Raises NotUnderstood, also for a state that has no meaning yet."""
    word = _found(reading.state, document, "state")
    if isinstance(word, bool):
        word = str(word).lower()
    state = reading.states.get(str(word)) if isinstance(word, str | int) else None
    if state is None:
        raise NotUnderstood("the answer's state is none of [senders.states]")
    sent = count(_found(reading.sent, document, "sent"), "sent")
    target = None if reading.target is None else _found(reading.target, document, "target")
    return Standing(state, sent, None if target is None else count(target, "target"))


def _found(path: ParsedResult, document: Any, name: str) -> Any:
    try:
        return path.search(document)
    except (JMESPathError, TypeError, ValueError, ArithmeticError, RecursionError):
        raise NotUnderstood(f"the expression for {name} cannot be used on the answer") from None


def _filled(value: Any, campaign: str) -> Any:
    if isinstance(value, str):
        return value.replace(PLACEHOLDER, campaign)
    if isinstance(value, list):
        return [_filled(each, campaign) for each in value]
    if isinstance(value, dict):
        return {name: _filled(each, campaign) for name, each in value.items()}
    return value
