"""Which messages are bulk mail, and of what gate: rules in order, the first that fits decides.

A rule fits when each of its conditions does; a condition is a list of which one has to. Nothing of a message's content
is known here: Postfix tells who sends it and from where, and at DATA to how many.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

from app.postfix.protocol import Question

NO_SENDER = "<>"
Client: TypeAlias = IPv4Network | IPv6Network | str


@dataclass(frozen=True, slots=True)
class Terms:
    """How the mail of a rule passes: through which gate, as what campaign, and how fast at most.

    wave: recipients that one permit asks for; wave_gap_seconds: from the opening of one wave to the next, at least.
    per_minute: recipients per minute at most; None: as fast as the wave comes.
    """

    gate: str
    campaign: str | None = None
    wave: int = 500
    wave_gap_seconds: float = 60.0
    per_minute: int | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. terms None: transactional mail, which always passes. A rule without conditions fits every message.

    senders, sasl_users, contexts: globs, compared without regard to case, and of a sender without a dot at the end of
    its domain; a sender `<>` is that of bounces. clients: networks, and globs of verified host names.
    least_recipients: fits messages to so many or more, which is known at DATA and later only; 0: to any number.
    """

    name: str
    terms: Terms | None
    senders: tuple[str, ...] = ()
    sasl_users: tuple[str, ...] = ()
    clients: tuple[Client, ...] = ()
    contexts: tuple[str, ...] = ()
    least_recipients: int = 0

    @property
    def fits_all(self) -> bool:
        """Whether it has no condition, or none but that the sender is like *."""
        is_anyone = not self.senders or any(set(glob) == {"*"} for glob in self.senders)
        return is_anyone and not (self.sasl_users or self.clients or self.contexts or self.least_recipients)

    def fits(self, asked: Question) -> bool:
        """Return whether each condition is met."""
        return (
            (not self.senders or _is_like(self.senders, _plain(asked.sender)))
            and (not self.sasl_users or _is_like(self.sasl_users, asked.sasl_user))
            and (not self.clients or _is_from(self.clients, asked))
            and (not self.contexts or _is_like(self.contexts, asked.context))
            and asked.recipient_count >= self.least_recipients
        )


def rule_for(rules: Sequence[Rule], asked: Question) -> Rule | None:
    """Return the first rule that fits, None where none does: such a message is none of ours."""
    return next((rule for rule in rules if rule.fits(asked)), None)


def _plain(sender: str) -> str:
    return sender.rstrip(".") if "@" in sender else sender or NO_SENDER


def _is_like(globs: Sequence[str], value: str) -> bool:
    return bool(value) and any(fnmatchcase(value.lower(), glob.lower()) for glob in globs)


def _is_from(clients: Sequence[Client], asked: Question) -> bool:
    address = _address(asked.client_address)
    for client in clients:
        if isinstance(client, str):
            if _is_like((client,), asked.client_name):
                return True
        elif address is not None and address in client:
            return True
    return False


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address
