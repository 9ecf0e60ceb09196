"""Answers each question that Postfix asks: by the first rule that fits, and for bulk mail by that rule's lane."""

import logging
from collections.abc import Mapping, Sequence

from app.postfix.lane import Lane, Ruling
from app.postfix.protocol import DUNNO, Question, deferral
from app.postfix.rules import Rule, rule_for

log = logging.getLogger(__name__)

MOST_REMEMBERED = 10_000


class Charged:
    """What of a message was counted already, so that one asked about at RCPT and again at DATA counts once.

    One for each connection: Postfix asks all about a message over the same one, and then nothing more.
    """

    def __init__(self) -> None:
        self._message: tuple[str, str] | None = None
        self._recipients: set[str] = set()
        self._count = 0

    def due(self, rule: str, asked: Question, recipients: int) -> int:
        """Return how many of a question's recipients are not counted yet."""
        if not asked.instance or self._message != (rule, asked.instance):
            return recipients
        if asked.state == "RCPT":
            return 0 if asked.recipient in self._recipients else recipients
        return max(0, recipients - self._count)

    def note(self, rule: str, asked: Question, due: int) -> None:
        """Remember that so many of a question's recipients are counted now."""
        if self._message != (rule, asked.instance):
            self._message, self._recipients, self._count = (rule, asked.instance), set(), 0
        self._count += due
        if asked.state == "RCPT" and len(self._recipients) < MOST_REMEMBERED:
            self._recipients.add(asked.recipient)


class Desk:
    """Answers questions. lanes: one for each bulk rule, by its name."""

    def __init__(self, rules: Sequence[Rule], lanes: Mapping[str, Lane], defer_text: str) -> None:
        self._rules, self._lanes, self._deferral = tuple(rules), lanes, deferral(defer_text)

    async def answer(self, asked: Question, charged: Charged) -> bytes:
        """Return the answer to a question. A fault of ours while we look at bulk mail defers it."""
        rule = rule_for(self._rules, asked)
        if rule is None or rule.terms is None:
            return DUNNO
        try:
            ruling = await self._rule_on(rule.name, asked, charged)
        except Exception:
            log.exception("postfix_policy_fault", extra={"rule": rule.name})
            ruling = Ruling.DEFER
        return DUNNO if ruling is Ruling.PASS else self._deferral

    async def _rule_on(self, rule: str, asked: Question, charged: Charged) -> Ruling:
        recipients = asked.recipients
        if recipients is None:
            log.warning("postfix_policy_asked_in_vain", extra={"rule": rule, "protocol_state": asked.state})
            return Ruling.DEFER
        due = charged.due(rule, asked, recipients)
        ruling = await self._lanes[rule].rule_on(due)
        if ruling is Ruling.PASS:
            charged.note(rule, asked, due)
        log.debug(
            "postfix_policy_ruling",
            extra={"rule": rule, "ruling": ruling, "recipients": due, "instance": asked.instance},
        )
        return ruling
