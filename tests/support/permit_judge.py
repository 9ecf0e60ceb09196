"""Judges the answers to asks for permits by the model: nothing too much, nothing twice, nothing held for nothing."""

from datetime import datetime, timedelta
from typing import NamedTuple

import httpx2

from tests.support.permit_model import Given, PermitModel, Standing

KEPT_FOR = timedelta(hours=24)
DEFAULT_TTL_SECONDS = 3_600
REFUSED, UNREADABLE, ENDED = {429, 503}, 422, 409


class Wanted(NamedTuple):
    """What one ask wants; None: left out."""

    audience: int
    campaign: str | None = None
    ttl_seconds: int | None = None
    accept_partial: bool | None = None

    def body(self, **more: object) -> dict[str, object]:
        return {name: value for name, value in self._asdict().items() if value is not None} | {"gate": "default"} | more

    @property
    def meaning(self) -> tuple[object, ...]:
        """What it asks, however it says so."""
        return self.audience, self.campaign, self.ttl_seconds or DEFAULT_TTL_SECONDS, bool(self.accept_partial)

    @property
    def enough(self) -> int:
        """How many must be left, at least, for it to be granted."""
        return 1 if self.accept_partial else self.audience


class Named(NamedTuple):
    """Who asks, and the idempotency key they chose; None: without one."""

    sender: int
    key: str | None


class Kept(NamedTuple):
    """What was granted under an idempotency key; answer None: nobody heard it yet."""

    wanted: Wanted
    answer: bytes | None
    permit: str
    at: datetime


class Judge:
    """Takes in every answer, in order, and fails on the first that the contract does not allow."""

    def __init__(self, model: PermitModel, standing: Standing) -> None:
        self._model, self._standing = model, standing
        self.kept: dict[Named, Kept] = {}
        self._refused: dict[Named, Wanted] = {}

    def answer(self, named: Named, wanted: Wanted, response: httpx2.Response, now: datetime) -> None:
        """Judge the answer to an ask that was settled by itself."""
        kept = self.kept.get(named)
        if kept is not None and now - kept.at < KEPT_FOR:
            self._repeat(named, kept, wanted, response, now)
        elif response.is_success:
            self.grant(named, wanted, response, now)
        else:
            self._refusal(named, wanted, response, now)

    def grant(self, named: Named, wanted: Wanted, response: httpx2.Response, now: datetime) -> None:
        """Judge a grant by what is left just before it, and take it in."""
        answer, most = response.json(), self._model.most(now)
        allow, permit = answer["allow"], answer["permit_id"]
        assert response.status_code == httpx2.codes.OK
        assert not self._standing.is_shut(now), f"granted while the gate is shut: {answer}"
        assert wanted.enough <= allow <= wanted.audience, answer
        assert most is None or allow <= most, f"{allow} granted where {most} were left"
        assert permit not in self._model.given, "one permit was given to two asks"
        expires_at = datetime.fromisoformat(answer["permit_expires_at"])
        assert expires_at == now + timedelta(seconds=wanted.ttl_seconds or DEFAULT_TTL_SECONDS)
        self._model.grant(Given(permit, allow, expires_at, wanted.campaign))
        if named.key is not None:
            self.kept[named] = Kept(wanted, response.content, permit, now)

    def rehearsal(self, response: httpx2.Response, now: datetime) -> None:
        """Judge a dry run."""
        if not response.is_success:
            assert response.status_code in REFUSED, response.text
            return
        most = self._model.most(now)
        assert not self._standing.is_shut(now)
        assert most is None or response.json()["allow"] <= most
        assert response.json().get("permit_id") is None

    def unheard(self, named: Named, wanted: Wanted, permit: Given, now: datetime) -> None:
        """Take in a permit whose answer was lost, and could not be said again since: its gate has closed meanwhile."""
        most = self._model.most(now)
        assert not self._standing.is_open(now), f"{permit} was given, and its sender cannot find out"
        assert most is None or permit.allowed <= most
        if self._standing.is_shut(now):
            permit.state = "paused"
        self._model.grant(permit)
        self.kept[named] = Kept(wanted, None, permit.id, now)

    def _refusal(self, named: Named, wanted: Wanted, response: httpx2.Response, now: datetime) -> None:
        if response.status_code == UNREADABLE:
            assert self._refused.get(named, wanted).meaning != wanted.meaning, response.text
            return
        assert response.status_code in REFUSED, response.text
        least = self._model.least(now)
        is_room = least is None or least >= wanted.enough
        assert not (self._standing.is_open(now) and is_room), f"held for nothing, {least} are left: {response.text}"
        self._refused[named] = wanted

    def _repeat(self, named: Named, kept: Kept, wanted: Wanted, response: httpx2.Response, now: datetime) -> None:
        permit = self._model.given[kept.permit]
        if wanted.meaning != kept.wanted.meaning:
            assert response.status_code == UNREADABLE, response.text
        elif not permit.may_be_used(now):
            assert response.status_code == ENDED, response.text
        elif response.is_success:
            assert permit.state == "active", f"{permit} was given again"
            assert not self._standing.is_shut(now)
            assert kept.answer in {None, response.content}, "not word for word"
            assert response.json()["permit_id"] == kept.permit
            self.kept[named] = kept._replace(answer=response.content)
        else:
            assert response.status_code in REFUSED, response.text
            assert permit.state == "paused" or not self._standing.is_open(now), response.text
