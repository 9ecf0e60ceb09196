"""Postfix's policy delegation: what it asks before it takes a message, and how it is answered.

A request is lines of name=value and then an empty line; its answer is one such line and an empty line. One connection
carries many. Where a request makes no sense there is no answer: the connection is closed, and Postfix asks once more
and then does what its own smtpd_policy_service_default_action says.

Source: Postfix, SMTPD_POLICY_README (https://www.postfix.org/SMTPD_POLICY_README.html, read 2026-11-22).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_BYTES = 65_536  # of one request; Postfix's own are below two thousand
MOST_RECIPIENTS = 1_000_000
LONGEST_TEXT = 200

REQUEST = "smtpd_access_policy"
DUNNO = b"action=DUNNO\n\n"  # says nothing: what comes next in Postfix's list decides

OTHER = "OTHER"
STATES = frozenset({"CONNECT", "EHLO", "HELO", "MAIL", "RCPT", "DATA", "END-OF-MESSAGE", "VRFY", "ETRN"})

_TEXT = re.compile(f"[!-~](?:[ -~]{{0,{LONGEST_TEXT - 2}}}[!-~])?")
_NUMBER = re.compile("[0-9]{1,9}")


class ProtocolFault(Exception):
    """What came is no policy request. str() says why, and quotes nothing of it: it may hold addresses."""


@dataclass(frozen=True, slots=True)
class Question:
    """One request, with what is not given empty, or 0. state: where in the SMTP dialogue Postfix asks.

    sender is empty for bounces. recipient_count is 0 but at DATA and END-OF-MESSAGE. instance names the message.
    """

    state: str
    sender: str = ""
    recipient: str = ""
    recipient_count: int = 0
    sasl_user: str = ""
    client_address: str = ""
    client_name: str = ""
    context: str = ""
    instance: str = ""

    @property
    def recipients(self) -> int | None:
        """How many recipients a pass lets through, 1 or more; None where that cannot be told."""
        if self.state == "RCPT":
            return 1
        if self.state in ("DATA", "END-OF-MESSAGE"):
            return self.recipient_count or None
        return None


class Requests:
    """Cuts what one client sends into questions, however it is cut on the way."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._held = bytearray()

    @property
    def is_between(self) -> bool:
        """Whether no request has begun that is not whole yet."""
        return not self._held

    def feed(self, data: bytes) -> Sequence[Question]:
        """Return the questions that are whole now, in order. Raises ProtocolFault; nothing can be fed after that."""
        seen = max(0, len(self._held) - 1)
        self._held += data
        questions = []
        while (end := self._held.find(b"\n\n", seen)) >= 0:
            self._check_size(end)
            questions.append(_question(_attributes(bytes(self._held[:end]))))
            del self._held[: end + 2]
            seen = 0
        if self._held.startswith(b"\n"):
            raise ProtocolFault("a request is empty")
        self._check_size(len(self._held))
        return questions

    def _check_size(self, size: int) -> None:
        if size > self._most_bytes:
            raise ProtocolFault(f"a request is longer than {self._most_bytes} bytes")


def deferral(text: str) -> bytes:
    """Return the answer that has the message tried again later. Raises ValueError for a text that cannot be one."""
    if fault := text_fault(text):
        raise ValueError(fault)
    return f"action=DEFER_IF_PERMIT 4.7.1 {text}\n\n".encode("ascii")


def text_fault(text: str) -> str | None:
    """Return why senders cannot be told this text, None where they can: it must stay one line of an SMTP reply."""
    if _TEXT.fullmatch(text):
        return None
    return f"{text!r} must be 1 to {LONGEST_TEXT} printable ASCII characters, with no space at either end"


def _attributes(request: bytes) -> Mapping[str, str]:
    """Return a request's values by name; of a name that comes twice, the first."""
    if b"\0" in request:
        raise ProtocolFault("a request has a zero byte")
    attributes: dict[str, str] = {}
    for line in request.decode("utf-8", "replace").split("\n"):
        name, equals, value = line.partition("=")
        if not name or not equals:
            raise ProtocolFault("a line of a request is not name=value")
        attributes.setdefault(name, value)
    return attributes


def _question(given: Mapping[str, str]) -> Question:
    if given.get("request") != REQUEST:
        raise ProtocolFault(f"a request is not request={REQUEST}")
    if not given.get("protocol_state"):
        raise ProtocolFault("a request has no protocol_state")
    state = given["protocol_state"].upper()
    return Question(
        state=state if state in STATES else OTHER,
        sender=given.get("sender", ""),
        recipient=given.get("recipient", ""),
        recipient_count=_count(given.get("recipient_count") or "0"),
        sasl_user=given.get("sasl_username", ""),
        client_address=given.get("client_address", ""),
        client_name=given.get("client_name", ""),
        context=given.get("policy_context", ""),
        instance=given.get("instance", ""),
    )


def _count(text: str) -> int:
    if not _NUMBER.fullmatch(text) or int(text) > MOST_RECIPIENTS:
        raise ProtocolFault(f"a request's recipient_count is no number from 0 to {MOST_RECIPIENTS}")
    return int(text)
