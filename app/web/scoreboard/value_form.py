"""Value figures as people type or upload them: read field by field, each fault a sentence."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile

from app.core.campaign.value import AMOUNTS, FIGURES, MEMBERS, Figures
from app.core.campaign.value_file import Column, FileReading, read_figure
from app.errors import Invalid
from app.web.format import NONE

MOST_FIELDS, LONGEST, MOST_BYTES = 20, 200, 1024 * 1024
_REVISION_DIGITS = 12
TITLES: Mapping[str, str] = {
    "new": "New customers",
    "lost": "Lost customers",
    "kept": "Kept customers",
    "value_per_customer": "Value of one customer",
    "net_value": "Net value, if you reckon it yourself",
    "currency": "Currency",
}


@dataclass(frozen=True, slots=True)
class ValueForm:
    """One campaign's figures as they were typed, what they say, and what is wrong with them, by field."""

    typed: Mapping[str, str]
    document: Mapping[str, object]
    revision: int
    faults: Mapping[str, str] = field(default_factory=dict)


def read_value(form: FormData) -> ValueForm:
    """Return what somebody typed of one campaign."""
    typed = {name: _text(form, name) for name in MEMBERS}
    document: dict[str, object] = {"currency": typed["currency"] or None}
    faults: dict[str, str] = {}
    for name in (*FIGURES, *AMOUNTS):
        try:
            document[name] = read_figure(typed[name], is_count=name in FIGURES)
        except ValueError as fault:
            faults[name] = _sentence(str(fault))
    return ValueForm(typed, document, _revision(form), faults)


def typed_of(figures: Figures) -> dict[str, str]:
    """Return figures as a form has them: "" for what is not known."""
    values = {name: getattr(figures, name) for name in MEMBERS}
    return {name: "" if value is None else str(value) for name, value in values.items()}


def faults_of(fault: Invalid) -> dict[str, str]:
    """Return what was refused by field, "" for what belongs to none."""
    found: dict[str, str] = {}
    for problem in fault.problems:
        name = problem.pointer.removeprefix("/")
        found.setdefault(name if name in MEMBERS else "", _sentence(problem.detail))
    return found


def _sentence(detail: str) -> str:
    """Return a fault for people, who know fields by their words."""
    words = detail.replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}."


@dataclass(frozen=True, slots=True)
class UploadForm:
    """What was sent: the file, how to read it, and whether to save it."""

    content: bytes
    reading: FileReading
    saves: bool
    faults: tuple[str, ...] = ()


async def read_upload(form: FormData) -> UploadForm:
    """Return what a form with a file says."""
    file = form.get("file")
    content = await file.read(MOST_BYTES + 1) if isinstance(file, UploadFile) else b""
    faults = [] if content else ["Choose a file first; it may have at most 1 MiB."]
    if len(content) > MOST_BYTES:
        faults = ["The file is larger than 1 MiB; upload fewer campaigns at once."]
    decimal, currency = _text(form, "decimal"), _text(form, "currency")
    if decimal not in {"", ".", ","}:
        faults.append(f"“{decimal}” marks no fraction; choose one of the list.")
    columns = {column: heading for column in Column if (heading := _text(form, f"{column}_column"))}
    reading = FileReading(columns, decimal or None, currency)
    return UploadForm(content, reading, _text(form, "step") == "save", tuple(faults))


def shown(value: object) -> str:
    """Return a figure for a table."""
    if value is None or value == "":
        return NONE
    return f"{value:,}" if isinstance(value, int) else str(value)


def _revision(form: FormData) -> int:
    text = _text(form, "revision")
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _REVISION_DIGITS else 0


def _text(form: FormData, name: str) -> str:
    value = form.get(name)
    return value.strip()[:LONGEST] if isinstance(value, str) else ""
