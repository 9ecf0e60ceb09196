"""Which messages were counted already, so that one asked about at RCPT, at DATA and at its end counts once.

Postfix names a message by its `instance` and asks all about it over one connection, or over the next where that was
closed. Kept are digests of the messages asked about last; one that is forgotten counts anew, which lets no more pass.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import blake2b

from app.postfix.protocol import Question

MOST_MESSAGES = 10_000
MOST_RECIPIENTS = 100_000  # of all of these messages together
DIGEST_BYTES = 16
STAGES = ("RCPT", "DATA", "END-OF-MESSAGE")  # as they follow each other within a message


@dataclass(slots=True)
class _Message:
    """What of one message was counted: so many, of whom these were named one by one; stage: where it got to."""

    count: int = 0
    recipients: set[bytes] = field(default_factory=set)
    stage: int = 0


class Charged:
    """Remembers what was counted. most_messages, most_recipients: how much is kept, the oldest goes first."""

    def __init__(self, most_messages: int = MOST_MESSAGES, most_recipients: int = MOST_RECIPIENTS) -> None:
        self._most_messages, self._most_recipients = most_messages, most_recipients
        self._messages: OrderedDict[bytes, _Message] = OrderedDict()
        self._recipients = 0

    def due(self, rule: str, asked: Question, recipients: int) -> int:
        """Return how many of a question's recipients are not counted yet."""
        message = self._messages.get(_name(rule, asked)) if asked.instance else None
        if message is None or STAGES.index(asked.state) < message.stage:
            return recipients
        if asked.state == "RCPT":
            return 0 if _digest(asked.recipient) in message.recipients else recipients
        return max(0, recipients - message.count)

    def note(self, rule: str, asked: Question, due: int) -> None:
        """Remember that so many of a question's recipients are counted now."""
        if not asked.instance:
            return
        name, stage = _name(rule, asked), STAGES.index(asked.state)
        message = self._messages.setdefault(name, _Message())
        if stage < message.stage:  # another message that is called the same
            self._forget(name)
            message = self._messages[name] = _Message()
        self._messages.move_to_end(name)
        message.count, message.stage = message.count + due, stage
        if asked.state == "RCPT" and len(message.recipients) < self._most_recipients:
            self._recipients -= len(message.recipients)
            message.recipients.add(_digest(asked.recipient))
            self._recipients += len(message.recipients)
        while len(self._messages) > self._most_messages or self._recipients > self._most_recipients:
            self._forget(next(iter(self._messages)))

    def _forget(self, name: bytes) -> None:
        self._recipients -= len(self._messages.pop(name).recipients)


def _name(rule: str, asked: Question) -> bytes:
    return _digest(rule, asked.instance, asked.sender, asked.client_address)


def _digest(*texts: str) -> bytes:
    digest = blake2b(digest_size=DIGEST_BYTES)
    for text in texts:
        digest.update(text.encode("utf-8", "surrogatepass") + b"\0")
    return digest.digest()
