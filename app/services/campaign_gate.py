"""May this message of a campaign go now? The answer for its open wave, from memory only, for tools that ask each time.

It is the gate's answer with one condition more: a wave must be open. What may go is what is left of it.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import NamedTuple

from app.core.campaign.campaign import Campaign
from app.core.campaign.pace import FULL_PERCENT
from app.core.client_profile import PLAIN, ClientProfile
from app.core.gate.answer import Answered, CampaignFacts, Request
from app.core.gate.decision import Reason, ReasonCode, Verdict
from app.core.gate.wording import moment
from app.core.permit.permit import COUNTED, NOTHING_SPENT, Permit, PermitState
from app.errors import NotFound
from app.ports.campaigns import Wave
from app.ports.clock import Clock
from app.services.answering import Answering, Looked
from app.services.asks import Asks, Question
from app.services.campaign_book import CampaignBook
from app.services.permits import Permits
from app.services.published import Published
from app.services.reply import OK, Headers, go_until, is_go, reply, status_of
from app.services.standing import is_late

MAX_AGE_SECONDS = 5
ASK_AGAIN = timedelta(seconds=5)
MAX_KEPT_ANSWERS = 10_000


class CampaignAnswer(NamedTuple):
    """A finished answer, and the tag by which a caller asks whether it is still so (None: it is no go).

    go_until: the instant from which this go must not be given any more.
    """

    status: int
    headers: Headers
    body: bytes
    etag: bytes | None
    go_until: datetime | None


class _Seen(NamedTuple):
    """What an answer was made from. Equal ones lead to equal answers."""

    seq: int
    is_late: bool
    campaign: Campaign | None
    wave: Wave | None
    permit: Permit | None
    profile: ClientProfile


class CampaignGate:
    """Answers for campaigns' open waves. answered is told of each answer's verdict and status."""

    def __init__(
        self,
        published: Callable[[], Published],
        answering: Answering,
        book: CampaignBook,
        permits: Permits,
        *,
        asks: Asks,
        clock: Clock,
        answered: Callable[[Verdict, int], None] = lambda _verdict, _status: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._published, self._answering, self._book, self._permits = published, answering, book, permits
        self._asks, self._clock, self._answered, self._monotonic = asks, clock, answered, monotonic
        self._kept: dict[tuple[str, str], tuple[_Seen, CampaignAnswer, Callable[[], None]]] = {}

    def answer(self, asker: str, campaign_id: str, profile: ClientProfile = PLAIN) -> CampaignAnswer:
        """Return the answer for this asker (a key's id). Raises NotFound for an unknown campaign or gate."""
        seen = self._see(campaign_id, profile)
        kept = self._kept.get((asker, campaign_id))
        if kept is None or kept[0] != seen or self._is_over(kept[1]):
            kept = seen, *self._build(asker, campaign_id, seen)
            if len(self._kept) >= MAX_KEPT_ANSWERS:
                self._kept.clear()
            self._kept[asker, campaign_id] = kept
        _, answer, count = kept
        count()
        return answer

    def _see(self, campaign_id: str, profile: ClientProfile) -> _Seen:
        published, wave = self._published(), self._book.wave(campaign_id)
        permit = None
        if wave is not None and wave.ended_at is None:
            live = self._permits.of_campaign(campaign_id)
            permit = next((each for each in live if each.id == wave.permit_id), None)
        late = is_late(published, self._monotonic())
        return _Seen(published.seq, late, self._book.known(campaign_id), wave, permit, profile)

    def _is_over(self, answer: CampaignAnswer) -> bool:
        return answer.go_until is not None and self._clock.now() >= answer.go_until

    def _build(self, asker: str, campaign_id: str, seen: _Seen) -> tuple[CampaignAnswer, Callable[[], None]]:
        """Return the answer, and what notes that it was given."""
        facts, looked = self._look(campaign_id, seen)
        status, until = status_of(looked, seen.profile), _until(looked, seen.permit)
        # An audience of 0 nobody can ask about: the answers of this address have lines of their own in the log.
        ask = self._asks.tell(asker, Question(facts.gate, 0, campaign_id, accept_partial=True), looked, status)
        members = _members(facts, seen, looked)
        max_age = 0 if until is None else min(MAX_AGE_SECONDS, int(self._wall_seconds_to(until)))
        wall = self._clock.wall_seconds
        answer = reply(looked, ask.row.id, wall, profile=seen.profile, members=members, max_age_seconds=max_age)
        headers, etag = answer.headers, None
        if until is not None and status == OK:
            etag = f'W/"{ask.row.id}.{members["permit_id"]}.{members.get("allow")}"'.encode()
            headers = [*headers, (b"etag", etag)]
        at, verdict = self._published().at, looked.answered.verdict

        def count() -> None:
            self._asks.count(ask, at)
            self._answered(verdict, status)

        return CampaignAnswer(status, headers, answer.body, etag, until), count

    def _wall_seconds_to(self, at: datetime) -> float:
        return max(0.0, self._clock.wall_seconds((at - self._clock.now()).total_seconds()))

    def _facts(self, campaign_id: str, permit: Permit | None) -> CampaignFacts:
        """Return what the gate's answer needs to know of a campaign, its wave limited to what its permit allows."""
        facts = self._book.fact(campaign_id, NOTHING_SPENT)
        if facts is None:
            raise NotFound(f"there is no campaign {campaign_id!r}")
        return replace(facts, wave_limit=permit.allowed if permit is not None else None)

    def _look(self, campaign_id: str, seen: _Seen) -> tuple[CampaignFacts, Looked]:
        """Return the answer. What is given away does not count: it was counted when the wave's permit was given."""
        facts = self._facts(campaign_id, seen.permit)
        request = Request(None, accept_partial=True, campaign=facts.id, facts=facts)
        looked = self._answering.look(facts.gate, request, COUNTED)
        if is_go(looked) and not _is_open(seen.permit, looked.at):
            looked = looked._replace(answered=self._no_wave(seen.campaign, looked))
        return facts, looked

    def _no_wave(self, campaign: Campaign | None, looked: Looked) -> Answered:
        """Return the hold of a campaign whose gate would let it go, while none of its waves is open."""
        said, now, policy = (
            f"no wave of campaign {looked.request.campaign!r} is open now",
            looked.at,
            looked.state.policy,
        )
        if campaign is not None and self._book.pace(campaign.id).percent < FULL_PERCENT:
            said += ", and the next ones are small, to see first what they do"
        earliest = self._book.next_wave_at(campaign) if campaign is not None else None
        if earliest is not None and earliest > now:
            said += f"; the next may open at {moment(earliest, now, policy.time_zone if policy else 'UTC')}"
        reason = Reason(ReasonCode.CAMPAIGN_NO_OPEN_WAVE, said, binding=True)
        return Answered(Verdict.HOLD, 0, (reason,), None, max(now + ASK_AGAIN, earliest or now))


def _is_open(permit: Permit | None, now: datetime) -> bool:
    """Tell whether anything may still be sent under a wave's permit."""
    return (
        permit is not None and permit.state is PermitState.ACTIVE and now < permit.expires_at and permit.outstanding > 0
    )


def _members(facts: CampaignFacts, seen: _Seen, looked: Looked) -> dict[str, object]:
    """Return what this answer says beside what every answer says."""
    permit, go = seen.permit, is_go(looked)
    members: dict[str, object] = {
        "campaign_state": facts.state,
        "wave": seen.wave.number if permit is not None and seen.wave is not None else None,
        "permit_id": permit.id if permit is not None else None,
        "must_stop": not go,
    }
    return members | ({"allow": permit.outstanding} if permit is not None and go else {})


def _until(looked: Looked, permit: Permit | None) -> datetime | None:
    """Return the instant from which a go must not be given any more; None for an answer that is no go."""
    if not is_go(looked):
        return None
    until = go_until(looked)
    return until if permit is None else min(until, permit.expires_at)
