"""The outlook's answer at a glance: how much may go now, what may follow, and what breaks first. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from app.core.forecast.limits import DEFAULT_MAX_BREACH_PROBABILITY
from app.core.gate.decision import Verdict
from app.core.gate.foresight import Foresight, Portion, Predicted, Room
from app.core.gate.headroom import foreseen, headroom
from app.services.published import GateState
from app.web.format import count, duration, iso, number, percent, retitled
from app.web.outlook.words import Reader, broken, chance

NAMED_PORTIONS = 2
SAFE, PARTLY, NOTHING, UNKNOWN = "send", "throttle", "hold", "unknown"
NOT_KNOWN = "Not known what is safe"


@dataclass(frozen=True, slots=True)
class Sending:
    """Whose mail is meant: a campaign with how many it has left to send to; id "" and left None: any other mail."""

    id: str = ""
    title: str = "any mail"
    left: int | None = None


ANY_MAIL = Sending()


@dataclass(frozen=True, slots=True)
class Headline:
    """What the panel says. state: whose colour and shape it wears; lead, amount and whom are the answer itself.

    is_dead: it is too old to be relied on, since `good_until`; empty texts where there is nothing to say.
    """

    state: str
    lead: str
    amount: str = ""
    whom: str = ""
    sentences: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    at: str = ""
    at_text: str = ""
    age: str = ""
    good_until: str = ""
    good_for: str = ""
    is_dead: bool = False


def headline(state: GateState, sending: Sending, reader: Reader) -> Headline:
    """Return what a gate's outlook says to one sender as of now."""
    foresight = state.foresight
    if state.policy is None:
        return Headline(UNKNOWN, "There is no outlook", sentences=("The gate has no policy, so nothing is foreseen.",))
    if foresight is None:
        return Headline(UNKNOWN, "There is no outlook yet", sentences=("The first one is made within a minute.",))
    if foresight.unknown:
        why = f"{retitled(foresight.unknown, reader.titles).rstrip('.')}."
        return _dated(Headline(UNKNOWN, NOT_KNOWN, sentences=(why,)), foresight, reader)
    room = foresight.room(sending.id)
    if room is None:
        return _dated(Headline(UNKNOWN, NOT_KNOWN, sentences=("No send was reckoned with.",)), foresight, reader)
    return _dated(_answer(state, foresight, room, sending, reader), foresight, reader)


def _dated(told: Headline, foresight: Foresight, reader: Reader) -> Headline:
    local = foresight.at.astimezone(reader.zone)
    return replace(
        told,
        at=iso(foresight.at),
        at_text=f"{local:%H:%M:%S}",
        age=duration(max(0.0, (reader.now - foresight.at).total_seconds() // 1)),
        good_until=iso(foresight.stale_at),
        good_for=duration((foresight.stale_at - foresight.at).total_seconds()),
        is_dead=reader.now >= foresight.stale_at,
    )


def _answer(state: GateState, foresight: Foresight, room: Room, sending: Sending, reader: Reader) -> Headline:
    safe = foreseen(foresight, room, state.spent)
    left = safe if sending.left is None else min(safe, sending.left)
    is_all = room.forbids is None if sending.left is None else left >= sending.left
    lead, shape = lead_of(state.decision.verdict, left, is_all=is_all)
    return Headline(
        shape,
        lead,
        "nothing" if left == 0 else _amount(left, sending, is_all=is_all),
        _whom(sending),
        tuple(_sentences(state, foresight, room, sending, left=left, reader=reader)),
        tuple(_notes(state, foresight)),
    )


def lead_of(verdict: Verdict, left: int, *, is_all: bool) -> tuple[str, str]:
    """Return what the amount is, and its shape: what the gate itself does not let go now is never shown as safe."""
    if left == 0 or verdict in {Verdict.SEND, Verdict.THROTTLE}:
        return "Safe to send now", NOTHING if left == 0 else SAFE if is_all else PARTLY
    if verdict is Verdict.HOLD:
        return "Held now; safe by the outlook alone", NOTHING
    return "The gate cannot tell now; safe by the outlook alone", UNKNOWN


def _amount(left: int, sending: Sending, *, is_all: bool) -> str:
    if not is_all:
        return number(left)
    return "any number" if sending.left is None else f"all {number(left)}"


def _whom(sending: Sending) -> str:
    return "" if sending.left is None else f"of {sending.title}, {number(sending.left)} to go"


def _sentences(
    state: GateState, foresight: Foresight, room: Room, sending: Sending, *, left: int, reader: Reader
) -> Iterator[str]:
    coming = [portion for portion in room.next_portions if portion.starts_at > reader.now]
    if coming:
        yield _coming(coming, left, reader)
    likeliest = likeliest_to_break(state, sending)
    if likeliest is not None:
        case = "even if nothing is sent" if likeliest is foresight.breaks else "with more"
        yield f"Likeliest to break {case}: {broken(likeliest, reader)}."
    yield from _capped(state, left)
    enough = room.reinforcements[-1] if room.reinforcements else None
    if enough is not None and enough.audience > left:
        yield f"With {count(enough.agents, 'agent')} more, {number(enough.audience)} would be safe now."


def _coming(portions: Sequence[Portion], left: int, reader: Reader) -> str:
    """Return when more may go: the first ones by name, all of them in sum."""
    if left == 0:
        first = portions[0]
        return f"The first {number(first.audience)} may go from {reader.minute(first.starts_at)}."
    named = [f"{number(each.audience)} from {reader.minute(each.starts_at)}" for each in portions[:NAMED_PORTIONS]]
    said = f"Then {', '.join(named)}"
    if len(portions) > NAMED_PORTIONS:
        total = sum(portion.audience for portion in portions)
        said += f"; {number(total)} more in all by {reader.minute(portions[-1].starts_at)}"
    return f"{said}."


def _capped(state: GateState, left: int) -> Iterator[str]:
    cap = headroom(state.policy, state.spent)
    if cap.left is not None and cap.left < left:
        yield f"The policy's {cap.capped_by} leaves {number(cap.left)} of that for now."


def likeliest_to_break(state: GateState, sending: Sending) -> Predicted | None:
    """Return the limit that breaks first: though nothing is sent where that is too likely, else if more is sent."""
    foresight = state.foresight
    if foresight is None or foresight.unknown:
        return None
    if foresight.breaks is not None and not foresight.breach_probability <= _accepted(state):
        return foresight.breaks
    room = foresight.room(sending.id)
    return room.forbids if room else None


def _accepted(state: GateState) -> float:
    from_policy = state.policy.outlook if state.policy else None
    return from_policy.max_breach_probability if from_policy else DEFAULT_MAX_BREACH_PROBABILITY


def _notes(state: GateState, foresight: Foresight) -> Iterator[str]:
    accepted = _accepted(state)
    chances = f"{chance(foresight.breach_probability, accepted)} chance that a limit breaks if nothing more is sent"
    yield f"{chances[:1].upper()}{chances[1:]}; {percent(accepted)} is accepted."
    if state.policy is not None and state.policy.outlook is None:
        yield "It does not decide here: the policy has no outlook, so the gate goes by its rules alone."
