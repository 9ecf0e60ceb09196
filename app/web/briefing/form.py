"""A briefing's form: what was typed, the words it makes, and the faults at their fields. Pure.

Every value is text as it stands in the form, so that nothing typed is lost. Rows that are empty are left out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from app.core.campaign.briefing import Briefing, Link, Question, Words
from app.core.campaign.wording import MOST_LINKS, MOST_QUESTIONS
from app.core.problem import Problem

SPARE_QUESTIONS, SPARE_LINKS = 3, 2
MOST_FIELDS = 2 * (MOST_QUESTIONS + MOST_LINKS) + 10
LONGEST_VERSION = 12


class Pair(NamedTuple):
    """A row of two fields: a question and its answer, or a link's title and its address."""

    first: str
    second: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed in it."""
        return not (self.first.strip() or self.second.strip())


@dataclass(frozen=True, slots=True)
class BriefingForm:
    """What was typed. version: the one that was read, 0: none. more: more rows are wanted, and nothing saved."""

    offer: str = ""
    recipients: str = ""
    questions: tuple[Pair, ...] = ()
    links: tuple[Pair, ...] = ()
    acknowledge_by: str = ""
    version: int = 0
    more: bool = False

    @property
    def words(self) -> Words:
        """What it says, without empty rows."""
        return Words(
            self.offer.strip(),
            self.recipients.strip(),
            tuple(Question(row.first.strip(), row.second.strip()) for row in self.questions if not row.is_empty),
            tuple(Link(row.first.strip(), row.second.strip()) for row in self.links if not row.is_empty),
            tuple(name for line in self.acknowledge_by.splitlines() if (name := line.strip())),
        )

    @property
    def rows(self) -> tuple[tuple[Pair, ...], tuple[Pair, ...]]:
        """Its questions and links as the page shows them: with some empty rows to write in."""
        return _spared(self.questions, SPARE_QUESTIONS, MOST_QUESTIONS), _spared(self.links, SPARE_LINKS, MOST_LINKS)


def form_of(briefing: Briefing | None) -> BriefingForm:
    """Return a briefing as its form shows it first; an empty one where nobody has written any."""
    if briefing is None:
        return BriefingForm()
    return BriefingForm(
        briefing.offer,
        briefing.recipients,
        tuple(Pair(each.question, each.answer) for each in briefing.questions),
        tuple(Pair(each.title, each.url) for each in briefing.links),
        "\n".join(briefing.acknowledge_by),
        briefing.version,
    )


def read_form(given: Mapping[str, str]) -> BriefingForm:
    """Return what was sent, its line ends as everywhere."""
    texts = {name: value.replace("\r\n", "\n").replace("\r", "\n") for name, value in given.items()}
    version = texts.get("version", "")
    return BriefingForm(
        texts.get("offer", ""),
        texts.get("recipients", ""),
        _pairs(texts, "question", "answer", MOST_QUESTIONS),
        _pairs(texts, "link", "address", MOST_LINKS),
        texts.get("acknowledge_by", ""),
        int(version) if version.isascii() and version.isdigit() and len(version) <= LONGEST_VERSION else 0,
        more="more" in texts,
    )


def faults_of(problems: Iterable[Problem], form: BriefingForm) -> dict[str, str]:
    """Return the faults of the words by field, one each; those of no field under the empty name."""
    questions, links = (_places(rows) for rows in (form.questions, form.links))
    found: dict[str, str] = {}
    for problem in problems:
        parts = problem.pointer.strip("/").split("/")
        match parts:
            case ["questions", place, ("question" | "answer") as name]:
                at = f"{name}-{questions[int(place)]}"
            case ["links", place, ("title" | "url") as name]:
                at = f"{'link' if name == 'title' else 'address'}-{links[int(place)]}"
            case [("offer" | "recipients" | "acknowledge_by") as name, *_]:
                at = name
            case _:
                at = ""
        found.setdefault(at, f"{problem.detail[:1].upper()}{problem.detail[1:].rstrip('.')}.")
    return found


def _pairs(texts: Mapping[str, str], first: str, second: str, most: int) -> tuple[Pair, ...]:
    rows = [Pair(texts.get(f"{first}-{row}", ""), texts.get(f"{second}-{row}", "")) for row in range(most)]
    while rows and rows[-1].is_empty:
        rows.pop()
    return tuple(rows)


def _places(rows: Iterable[Pair]) -> list[int]:
    """Return where the rows that are not empty stand."""
    return [place for place, row in enumerate(rows) if not row.is_empty]


def _spared(rows: tuple[Pair, ...], spare: int, most: int) -> tuple[Pair, ...]:
    return (*rows, *(Pair("", ""),) * spare)[: max(len(rows), most)][:most]
