"""What a recipe is tried against: a server for every answer there is, and how many mails each may bring."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tests.support.answers import FAULTS, GARBAGE, HOLD, SEND, UNKNOWN, Reaction, Scripted, a_scripted, nobody, said
from tests.support.server import REPOSITORY

RECIPES = REPOSITORY / "recipes"
CLOSED = Reaction(silent=True)
# Nothing may be sent on any of these, however often it is asked again.
NEVER = {
    **FAULTS,
    **GARBAGE,
    "accepted with a go": said(202, "send", proceed=True),
    "status and body differ": said(429, "send", proceed=True),
    "no content": Reaction(204),
    "a list": Reaction(200, [{"decision": "send", "proceed": True}]),
    "null": Reaction(200, b"null"),
    "send as text": Reaction(200, b'{"decision": "send", "proceed": "true"}', {"Content-Type": "application/json"}),
}
# And one mail comes of each of these, in the end.
ONCE: dict[str, tuple[Reaction, ...]] = {
    "go": (SEND,),
    "later": (HOLD, UNKNOWN, SEND),
    "after a restart": (*[CLOSED] * 12, SEND),
}


@dataclass(frozen=True)
class Case:
    """One run of a recipe: what it is called, whom it asks. server is None where nobody listens."""

    name: str
    url: str
    server: Scripted | None

    @property
    def recipient(self) -> str:
        return f"{self.name.replace(' ', '-').lower()}@example.com"

    @property
    def asked(self) -> int:
        """How often it has asked; where nobody listens nobody knows."""
        return len(self.server.asked) if self.server else 0


@contextmanager
def cases(*, patient: bool = True) -> Iterator[list[Case]]:
    """Yield a case for each answer. patient: also those where it has to ask again when nobody answered."""
    with ExitStack() as stack:
        scripts: dict[str, tuple[Reaction, ...]] = {name: (reaction,) for name, reaction in NEVER.items()}
        scripts |= {name: reactions for name, reactions in ONCE.items() if patient or CLOSED not in reactions}
        made = []
        for name, reactions in scripts.items():
            server = stack.enter_context(a_scripted(*reactions))
            made.append(Case(name, server.url, server))
        yield [*made, Case("refused", stack.enter_context(nobody()), None)]


def hasty(text: str, *changes: tuple[str, str]) -> str:
    """Return a recipe's text with its patience taken away; each change must find its place."""
    for patient, quick in changes:
        assert patient in text, patient
        text = text.replace(patient, quick)
    return text
