"""What a briefing may say: how long, in which characters, and where its links may lead. Faults come with pointers."""

import unicodedata
from collections.abc import Iterable, Sequence
from urllib.parse import urlsplit

from app.core.campaign.briefing import Briefing, Link, Question, Words
from app.core.floor.fields import name_fault, shown
from app.core.problem import Problem

LONGEST_OFFER = 4000
LONGEST_RECIPIENTS = 2000
LONGEST_QUESTION = 500
LONGEST_ANSWER = 4000
LONGEST_TITLE = 200
LONGEST_URL = 2000
MOST_QUESTIONS = 50
MOST_LINKS = 20
MOST_NAMES = 50
_PLAIN = frozenset("\n\t")


def words_faults(words: Words) -> list[Problem]:
    """Return every fault of what a briefing is to say, with a pointer to each; [] when it is sound."""
    return [
        *text_faults(words.offer, "/offer", LONGEST_OFFER),
        *text_faults(words.recipients, "/recipients", LONGEST_RECIPIENTS),
        *_too_many(words.questions, "/questions", MOST_QUESTIONS),
        *(fault for place, item in enumerate(words.questions) for fault in _question_faults(item, place)),
        *_too_many(words.links, "/links", MOST_LINKS),
        *(fault for place, item in enumerate(words.links) for fault in _link_faults(item, place)),
        *_too_many(words.acknowledge_by, "/acknowledge_by", MOST_NAMES),
        *_names_faults(words.acknowledge_by),
    ]


def text_faults(text: str, pointer: str, longest: int) -> Iterable[Problem]:
    """Yield what is wrong with a text that people read: it says something, is not too long, and can be shown."""
    if not text.strip():
        yield Problem(pointer, f"it says nothing; write 1 to {longest} characters")
    elif len(text) > longest:
        yield Problem(pointer, f"it has {len(text):,} characters; at most {longest:,} are allowed")
    for character in text:
        if character not in _PLAIN and unicodedata.category(character) in {"Cc", "Cs"}:
            yield Problem(pointer, f"it contains {character!a}, which cannot be shown; take it out")
            return


def name_faults(name: str, pointer: str) -> Iterable[Problem]:
    """Yield what is wrong with the name of a queue, a team or a person."""
    if fault := name_fault(name):
        yield Problem(pointer, fault)


def acknowledging_faults(briefing: Briefing, by: str, name: str, version: int | None) -> list[Problem]:
    """Return why somebody cannot acknowledge a briefing: [] when they can. version: the one they read, None: unsaid."""
    faults = [*name_faults(by, "/by"), *name_faults(name, "/name")]
    if briefing.acknowledge_by and by not in briefing.acknowledge_by:
        allowed = ", ".join(briefing.acknowledge_by)
        faults.append(Problem("/by", f"{shown(by)} is not asked to acknowledge this briefing; one of {allowed} is"))
    if version is not None and version != briefing.version:
        detail = f"version {shown(version)} is not what it says now: that is version {briefing.version}; read it again"
        faults.append(Problem("/version", detail))
    return faults


def _question_faults(item: Question, place: int) -> Iterable[Problem]:
    yield from text_faults(item.question, f"/questions/{place}/question", LONGEST_QUESTION)
    yield from text_faults(item.answer, f"/questions/{place}/answer", LONGEST_ANSWER)


def _link_faults(item: Link, place: int) -> Iterable[Problem]:
    yield from text_faults(item.title, f"/links/{place}/title", LONGEST_TITLE)
    if fault := url_fault(item.url):
        yield Problem(f"/links/{place}/url", fault)


def url_fault(url: str) -> str | None:
    """Return why a link cannot be shown, None when it can: an absolute http or https URL without a password."""
    if len(url) > LONGEST_URL:
        return f"the URL has {len(url):,} characters; at most {LONGEST_URL:,} are allowed"
    if not url.isprintable() or " " in url or "\\" in url:
        return f"{shown(url)} contains a character that no URL has; write it as %-code"
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return f"{shown(url)} is no URL"
    if parts.scheme not in {"http", "https"}:
        return f"{shown(url)} must begin with https:// or http://"
    if not host:
        return f"{shown(url)} names no host"
    return f"{shown(url)} carries a user name or password; take it out" if "@" in parts.netloc else None


def _too_many(items: Sequence[object], pointer: str, most: int) -> Iterable[Problem]:
    if len(items) > most:
        yield Problem(pointer, f"there are {len(items)}; at most {most} are allowed")


def _names_faults(names: Sequence[str]) -> Iterable[Problem]:
    for place, name in enumerate(names):
        yield from name_faults(name, f"/acknowledge_by/{place}")
        if name in names[:place]:
            yield Problem(f"/acknowledge_by/{place}", f"{shown(name)} is there twice; name each once")
