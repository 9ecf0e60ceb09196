"""A briefing: what the contact center must know before a campaign's customers call, and who has read it."""

from dataclasses import dataclass
from datetime import datetime

MOST_ACKNOWLEDGEMENTS = 200
ANYBODY = "anybody"


@dataclass(frozen=True, slots=True)
class Question:
    """What customers will ask, and what to answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Link:
    """Something to look at: a page of the offer, a form, terms."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Image:
    """A picture of what customers get. media_type is what its bytes are, whatever its name says."""

    id: str
    name: str
    media_type: str
    size: int
    sha256: str
    width: int
    height: int
    alt: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody of a queue or team has read one version of the briefing."""

    by: str  # the queue or team, one of acknowledge_by where that names any
    name: str
    at: datetime
    version: int


@dataclass(frozen=True, slots=True)
class Words:
    """What a briefing says, as its author wrote it.

    offer: what customers are offered. recipients: who gets the mail. acknowledge_by: the queues and teams that must
    have read it; (): any one will do. When and how many is the campaign's own.
    """

    offer: str
    recipients: str
    questions: tuple[Question, ...] = ()
    links: tuple[Link, ...] = ()
    acknowledge_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Briefing:
    """One campaign's briefing. version grows with every change of what is said; acknowledgements hold for one version.

    acknowledge_by: the queues and teams that must have read it; (): any one will do. When, how many and from whom
    customers come is the campaign's.
    """

    campaign: str
    offer: str
    recipients: str
    questions: tuple[Question, ...]
    links: tuple[Link, ...]
    acknowledge_by: tuple[str, ...]
    author: str
    saved_at: datetime
    version: int = 1
    images: tuple[Image, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()

    @property
    def words(self) -> Words:
        """Return what it says, without what happened to it."""
        return Words(self.offer, self.recipients, self.questions, self.links, self.acknowledge_by)

    @property
    def missing(self) -> tuple[str, ...]:
        """Return who still has to acknowledge this version: () when nobody has to any more."""
        done = {acknowledged.by for acknowledged in self.acknowledgements if self.holds(acknowledged)}
        if self.acknowledge_by:
            return tuple(name for name in self.acknowledge_by if name not in done)
        return () if done else (ANYBODY,)

    def holds(self, acknowledged: Acknowledgement) -> bool:
        """Tell whether an acknowledgement is of what the briefing says now, not of what it said before."""
        return acknowledged.version == self.version

    def acknowledged(self, by: str) -> Acknowledgement | None:
        """Return the acknowledgement of this version by a queue or team, None while there is none."""
        found = (each for each in self.acknowledgements if each.by == by and self.holds(each))
        return next(found, None)
