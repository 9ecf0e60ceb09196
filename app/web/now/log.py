"""A gate's log as people read it: what happened by itself and what people did, with their notes between it. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app.core.event import HOLDFIRE, Event, EventType
from app.core.note import Note, NoteKind
from app.ports.events import WrittenEvent
from app.web.format import clock_time, iso, number, retitled

E = EventType
Side = Mapping[str, object]
# What the log tells of, and whose shape each line wears.
SHAPES: Mapping[EventType, str] = {
    E.DECISION_SEND: "send",
    E.DECISION_THROTTLE: "throttle",
    E.DECISION_HOLD: "hold",
    E.DECISION_UNKNOWN: "unknown",
    E.FEED_STALE: "unknown",
    E.FEED_RECOVERED: "send",
    E.POLICY_SAVED: "none",
    E.OVERRIDE_CREATED: "none",
    E.OVERRIDE_ENDED: "none",
    E.OVERRIDE_EXPIRED: "none",
    E.PERMIT_GRANTED: "send",
    E.PERMIT_PAUSED: "hold",
    E.PERMIT_RESUMED: "send",
    E.PERMIT_REVOKED: "hold",
    E.CAMPAIGN_SCHEDULED: "none",
    E.CAMPAIGN_DUE: "none",
    E.CAMPAIGN_STARTED: "send",
    E.CAMPAIGN_PAUSED: "hold",
    E.CAMPAIGN_RESUMED: "send",
    E.CAMPAIGN_DONE: "none",
    E.CAMPAIGN_CANCELLED: "hold",
    E.CAMPAIGN_GAVE_UP: "hold",
    E.CAMPAIGN_DEBRIEFED: "none",
    E.WAVE_OPENED: "send",
    E.WAVE_COMPLETED: "none",
    E.SENDER_MISMATCH: "unknown",
    E.SENDER_NOT_PAUSED: "hold",
    E.BRIEFING_ACKNOWLEDGED: "none",
}
TYPES = tuple(SHAPES)
CAMPAIGN_WORDS = {
    E.CAMPAIGN_SCHEDULED: "was announced",
    E.CAMPAIGN_DUE: "is due and waits",
    E.CAMPAIGN_STARTED: "began to go out",
    E.CAMPAIGN_PAUSED: "was paused",
    E.CAMPAIGN_RESUMED: "goes on",
    E.CAMPAIGN_DONE: "is done: everybody was sent to",
    E.CAMPAIGN_CANCELLED: "was cancelled",
    E.CAMPAIGN_GAVE_UP: "was given up at its deadline",
    E.CAMPAIGN_DEBRIEFED: "is debriefed",
}
PERMIT_WORDS = {
    E.PERMIT_GRANTED: "may go",
    E.PERMIT_PAUSED: "must stop: its permit is paused",
    E.PERMIT_RESUMED: "may go on",
    E.PERMIT_REVOKED: "must stop: its permit was revoked",
}
OVERRIDE_WORDS = {
    E.OVERRIDE_CREATED: "set by hand",
    E.OVERRIDE_ENDED: "ended by hand",
    E.OVERRIDE_EXPIRED: "is over",
}
ENDINGS = {"used": "all of it was sent", "paused": "stopped by its gate"}
KIND_WORDS = {NoteKind.NOTE: "Note", NoteKind.DEPLOY: "Deploy", NoteKind.INCIDENT: "Incident"}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the log. kind: `note` or `event`; what: its word, shape: the mark it wears.

    note_id: of a note that whoever reads it may take back; empty on all other lines.
    """

    at: str
    at_text: str
    kind: str
    what: str
    shape: str
    text: str
    who: str
    about: str
    note_id: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """For whom the log is told: now, in the center's zone, with what queues and campaigns are called."""

    now: datetime
    zone: ZoneInfo
    queues: Mapping[str, str]
    campaigns: Mapping[str, str]

    def campaign(self, event: Event) -> str:
        """Return what an event's campaign is called."""
        return self.campaigns.get(event.campaign or "", event.campaign or "Mail of no campaign")

    def text_at(self, at: datetime) -> str:
        """Return an instant as the log writes it."""
        return clock_time(at, self.zone, today=self.now)


def lines(
    events: Sequence[WrittenEvent],
    notes: Sequence[Note],
    told: Telling,
    may_withdraw: Callable[[Note], bool],
    most: int,
) -> list[Line]:
    """Return the newest `most` lines of what happened and what was written, the newest first.

    A wave's permits are told of by the wave.
    """
    shown = [(each.event.at, each.seq, _event_line(each.event, told)) for each in _told_once(events)]
    shown += [(note.at, 0, _note_line(note, told, may_withdraw=may_withdraw(note))) for note in notes]
    newest = sorted(shown, key=lambda each: each[:2], reverse=True)[:most]
    return [line for _, _, line in newest]


def _told_once(events: Iterable[WrittenEvent]) -> Iterable[WrittenEvent]:
    for each in events:
        is_of_wave = each.event.type in PERMIT_WORDS and (each.event.after or {}).get("wave") is not None
        if not is_of_wave:
            yield each


def _note_line(note: Note, told: Telling, *, may_withdraw: bool) -> Line:
    about = [told.campaigns.get(note.campaign, note.campaign)] if note.campaign else []
    about += [told.queues.get(note.queue, note.queue)] if note.queue else []
    return Line(
        at=iso(note.at),
        at_text=told.text_at(note.at),
        kind="note",
        what=KIND_WORDS[note.kind],
        shape="none",
        text=note.text,
        who=note.author.name,
        about=", ".join(about),
        note_id=note.id if may_withdraw else "",
    )


def _event_line(event: Event, told: Telling) -> Line:
    what, text = _said(event, told)
    return Line(
        at=iso(event.at),
        at_text=told.text_at(event.at),
        kind="event",
        what=what,
        shape=SHAPES[event.type],
        text=text,
        who="" if event.actor.id == HOLDFIRE.id else event.actor.name,
        about="",
    )


def _said(event: Event, told: Telling) -> tuple[str, str]:
    """Return an event's word and its sentence."""
    return _TELLERS[event.type.partition(".")[0]](event, event.after or {}, told)


def _because(event: Event) -> str:
    return f": {event.reason}" if event.reason else ""


def _decision(event: Event, _: Side, told: Telling) -> tuple[str, str]:
    return event.type.partition(".")[2].upper(), retitled(event.reason, told.queues)


def _feed(event: Event, _: Side, told: Telling) -> tuple[str, str]:
    if event.type is E.FEED_STALE:
        return "Data lost", retitled(event.reason, told.queues)
    return "Data back", "Everything that the gate needs reports again"


def _policy(event: Event, after: Side, _: Telling) -> tuple[str, str]:
    return "Policy", f"Version {after.get('version', '?')} was saved{_because(event)}"


def _override(event: Event, after: Side, _: Telling) -> tuple[str, str]:
    effect = str(((event.before if event.type is E.OVERRIDE_ENDED else after) or {}).get("effect", "override"))
    return "Override", f"{effect.capitalize()} {OVERRIDE_WORDS[event.type]}{_because(event)}"


def _permit(event: Event, after: Side, told: Telling) -> tuple[str, str]:
    return "Send", f"{_amount(after)} of {told.campaign(event)} {PERMIT_WORDS[event.type]}{_because(event)}"


def _briefing(event: Event, after: Side, told: Telling) -> tuple[str, str]:
    return "Briefing", f"{told.campaign(event)} was acknowledged by {_reader(after)}"


def _campaign(event: Event, _: Side, told: Telling) -> tuple[str, str]:
    return "Campaign", f"{told.campaign(event)} {CAMPAIGN_WORDS[event.type]}{_because(event)}"


def _wave(event: Event, after: Side, told: Telling) -> tuple[str, str]:
    wave = f"Wave {after.get('wave', '?')} of {told.campaign(event)}"
    if event.type is E.WAVE_OPENED:
        return "Wave", f"{wave} opened: {_amount(after).lower()} may go"
    ending = str(after.get("ending", "over"))
    return "Wave", f"{wave} is over, {ENDINGS.get(ending, ending)}: {_whole(after.get('sent'))} sent"


def _sender(event: Event, after: Side, told: Telling) -> tuple[str, str]:
    tool, campaign = after.get("sender", "its tool"), told.campaign(event)
    if event.type is E.SENDER_NOT_PAUSED:
        return "Not paused", f"{tool} sends {campaign} and must not; stop it by hand{_because(event)}"
    return "Sender", f"{tool} did something else than it was told with {campaign}{_because(event)}"


def _amount(after: Side) -> str:
    allow = after.get("allow")
    return "Any number" if allow is None else f"Up to {_whole(allow)}"


def _whole(value: object) -> str:
    return number(value) if isinstance(value, int | float) else "?"


def _reader(after: Side) -> str:
    name, by = after.get("name"), after.get("by")
    return f"{name} for {by}" if name and by else str(name or by or "somebody")


_TELLERS: Mapping[str, Callable[[Event, Side, Telling], tuple[str, str]]] = {
    "decision": _decision,
    "feed": _feed,
    "policy": _policy,
    "override": _override,
    "permit": _permit,
    "wave": _wave,
    "sender": _sender,
    "briefing": _briefing,
    "campaign": _campaign,
}
