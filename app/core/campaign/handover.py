"""To which email tool a campaign is handed, and by which names that tool knows it."""

from collections.abc import Mapping
from dataclasses import dataclass

from app.core.floor.fields import name_fault
from app.core.gate.fields import Fields, shown
from app.core.problem import Problem

MOST_PARTS = 200
LONGEST_ID = 200
MOST_RECIPIENTS = 1_000_000_000
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.@/:+~")
TOOL_ID_RULE = f"1 to {LONGEST_ID} letters, digits and any of - _ . @ / : + ~"


@dataclass(frozen=True, slots=True)
class ToolCampaign:
    """One campaign of the tool, by its own id. recipients None: as many as the tool says."""

    id: str
    recipients: int | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """A sender's name, as configured, and the tool's campaigns that together send ours."""

    sender: str
    campaigns: tuple[ToolCampaign, ...]


def read_handover(fields: Fields) -> Handover | None:
    """Return what the member `sender` says: {name, campaigns: [id or {id, recipients}]}; None when absent or refused.

    Of several campaigns each says how many recipients it has: waves are made up of them.
    """
    if not fields.has("sender"):
        return None
    faults = len(fields.problems)
    given = Fields.of(fields.get("sender"), fields.at("sender"), fields.problems)
    if given is None:
        return None
    name = _name(given)
    items = given.items(
        "campaigns",
        required='name the tool\'s own campaign, like ["12"]',
        empty='name the tool\'s own campaign, like ["12"]',
    )
    if len(items) > MOST_PARTS:
        given.refuse(f"{len(items)} are more than {MOST_PARTS}", "campaigns")
    parts = [_part(given, place, item, alone=len(items) == 1) for place, item in enumerate(items[:MOST_PARTS])]
    given.finish()
    names = [part.id for part in parts]
    for place, part in enumerate(parts):
        if part.id and part.id in names[:place]:
            given.refuse(f"{shown(part.id)} is there twice; name each once", "campaigns", place)
    return Handover(name, tuple(parts)) if len(fields.problems) == faults else None


def handover_document(handover: Handover | None) -> dict[str, object] | None:
    """Return the member `sender` of a campaign's document."""
    if handover is None:
        return None
    parts = [
        part.id if part.recipients is None else {"id": part.id, "recipients": part.recipients}
        for part in handover.campaigns
    ]
    return {"name": handover.sender, "campaigns": parts}


def handover_of(document: Mapping[str, object] | None) -> Handover | None:
    """Return what `handover_document` made a document of, as it was kept; None for none, or for one that is none."""
    problems: list[Problem] = []
    return read_handover(Fields({"sender": document}, "", problems)) if document else None


def _name(given: Fields) -> str:
    if not given.has("name"):
        given.refuse("name the sender, as it is called in [[senders]] of holdfire.toml", "name")
        return ""
    name = given.get("name")
    if fault := name_fault(name):
        given.refuse(fault, "name")
    return str(name)


def _part(given: Fields, place: int, item: object, *, alone: bool) -> ToolCampaign:
    if isinstance(item, str) and (alone or not _is_id(item)):
        return ToolCampaign(_id(given, place, item))
    if isinstance(item, str):
        given.refuse('of several campaigns each needs its size: {"id": …, "recipients": …}', "campaigns", place)
        return ToolCampaign(item)
    part = Fields.of(item, given.at("campaigns", place), given.problems)
    if part is None:
        return ToolCampaign("")
    recipients = part.whole("recipients", None, 1, MOST_RECIPIENTS)
    if recipients is None and not alone and "recipients" not in part.value:
        part.refuse("of several campaigns each needs its size", "recipients")
    named = ToolCampaign(_id(given, place, part.get("id") if part.has("id") else None), recipients)
    part.finish()
    return named


def _id(given: Fields, place: int, value: object) -> str:
    if _is_id(value):
        return str(value)
    given.refuse(f"{shown(value)} cannot be the id of a tool's campaign: {TOOL_ID_RULE}", "campaigns", place)
    return ""


def _is_id(value: object) -> bool:
    """Tell whether a text may stand in a tool's address: nothing that would lead elsewhere."""
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_ID or not _PLAIN.issuperset(value):
        return False
    return all(step.strip(".") for step in value.split("/"))
