"""Answers each question that Postfix asks: by the first rule that fits, and for bulk mail by that rule's lane."""

import logging
from collections.abc import Mapping, Sequence

from app.postfix.charged import Charged
from app.postfix.lane import Lane, Ruling
from app.postfix.protocol import DUNNO, Question, deferral
from app.postfix.rules import Rule, rule_for

log = logging.getLogger(__name__)


class Desk:
    """Answers questions. lanes: one for each bulk rule, by its name."""

    def __init__(self, rules: Sequence[Rule], lanes: Mapping[str, Lane], defer_text: str) -> None:
        self._rules, self._lanes, self._deferral = tuple(rules), lanes, deferral(defer_text)
        self._charged = Charged()

    async def answer(self, asked: Question) -> bytes:
        """Return the answer to a question. A fault of ours while we look at bulk mail defers it."""
        rule = rule_for(self._rules, asked)
        if rule is None or rule.terms is None:
            return DUNNO
        try:
            ruling = await self._rule_on(rule.name, asked)
        except Exception:
            log.exception("postfix_policy_fault", extra={"rule": rule.name})
            ruling = Ruling.DEFER
        return DUNNO if ruling is Ruling.PASS else self._deferral

    async def _rule_on(self, rule: str, asked: Question) -> Ruling:
        recipients = asked.recipients
        if recipients is None:
            log.warning("postfix_policy_asked_in_vain", extra={"rule": rule, "protocol_state": asked.state})
            return Ruling.DEFER
        due = self._charged.due(rule, asked, recipients)
        ruling = await self._lanes[rule].rule_on(due)
        if ruling is Ruling.PASS:
            self._charged.note(rule, asked, due)
        log.debug(
            "postfix_policy_ruling",
            extra={"rule": rule, "ruling": ruling, "recipients": due, "instance": asked.instance},
        )
        return ruling
