"""Whatever senders, clocks, people, faults and restarts do, in whatever order: no more is granted than there is room.

Each step runs on a real database through the HTTP routes, and is judged by a model that shares nothing with them.
"""

import asyncio
import shutil
import tempfile
from collections import Counter
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.support.permit_house import House
from tests.support.permit_judge import REFUSED, Judge, Named, Wanted
from tests.support.permit_model import BOOKING, HOUR, LIVE, ByHand, Given, PermitModel, Standing

RESTARTS = 3  # in one run; they take longer than all other steps together
ENDS = {"permit.used", "permit.released", "permit.expired", "permit.revoked"}

pytestmark = pytest.mark.timeout(900)  # the thorough profile takes minutes

caps = st.none() | st.sampled_from([1, 100, 250])
wants = st.builds(
    Wanted,
    audience=st.integers(1, 150) | st.sampled_from([1, 100, 1_000, 10**9]),
    campaign=st.sampled_from([None, "spring", "frühling"]),
    ttl_seconds=st.sampled_from([None, 10, 60, 3_600, 86_400]),
    accept_partial=st.sampled_from([None, True, False]),
)
names = st.builds(Named, st.sampled_from([0, 1]), st.none() | st.sampled_from(["k1", "k2", "k3"]))
given_permits = st.runner().flatmap(lambda self: st.sampled_from(list(self.model.given.values())))
kept_names = st.runner().flatmap(lambda self: st.sampled_from(list(self.judge.kept)))


@cache
def new_folder() -> Path:
    """Return a folder with an empty, migrated database, to be copied."""
    folder = Path(tempfile.mkdtemp(prefix="holdfire-permits-"))
    House(folder).close()
    return folder


class Permits(RuleBasedStateMachine):
    """Senders, a floor, a clock, people and a disk, against the model."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="holdfire-permits-"))
        shutil.copytree(new_folder(), self.folder, dirs_exist_ok=True)
        self.house, self.model = House(self.folder), PermitModel()
        self.standing = Standing(self.now, self.now, self.now)
        self.judge = Judge(self.model, self.standing)
        self.restarts = self.lost = 0

    @initialize(wave=caps, hour=caps)
    def begin(self, wave: int | None, hour: int | None) -> None:
        self.tell()
        self.change_caps(wave, hour)

    def teardown(self) -> None:
        try:
            self.tick()
            self.check_book()
        finally:
            self.house.close()
            shutil.rmtree(self.folder)

    @property
    def now(self) -> datetime:
        return self.house.clock.now()

    def tick(self) -> None:
        self.house.evaluate()
        self.standing.tick(self.now)
        self.model.expire(self.now)
        if self.standing.is_shut(self.now):
            self.model.pause()
        elif not self.standing.is_sure:
            self.take_in_pauses()

    def take_in_pauses(self) -> None:
        """Believe that what was stopped had to be, where the model cannot know."""
        if not self.standing.is_open(self.now):
            self.model.pause_those([row.id for row in self.house.rows().values() if row.state == "paused"])

    def tell(self) -> None:
        self.house.clock.move(0.001)  # what a source says twice of one instant, it says once
        self.standing.tell(self.now)
        self.house.run(self.house.whole.slam() if self.standing.slammed else self.house.whole.quiet())
        self.tick()

    # --- asking ---

    def ask(self, named: Named, wanted: Wanted) -> httpx2.Response:
        return self.house.ask(named.sender, wanted.body(), named.key)

    @rule(named=names, wanted=wants)
    def take(self, named: Named, wanted: Wanted) -> None:
        self.judge.answer(named, wanted, self.ask(named, wanted), self.now)

    @precondition(lambda self: self.judge.kept)
    @rule(named=kept_names)
    def repeat(self, named: Named) -> None:
        self.take(named, self.judge.kept[named].wanted)

    @precondition(lambda self: self.judge.kept)
    @rule(named=kept_names, other=wants)
    def reuse_a_key(self, named: Named, other: Wanted) -> None:
        self.take(named, other)

    @rule(wanted=wants)
    def rehearse(self, wanted: Wanted) -> None:
        self.judge.rehearsal(self.house.ask(0, wanted.body(dry_run=True), "rehearsal"), self.now)

    @rule(asks=st.lists(st.tuples(st.sampled_from([0, 1]), wants), min_size=2, max_size=4))
    def take_at_once(self, asks: list[tuple[int, Wanted]]) -> None:
        async def all_at_once() -> list[httpx2.Response]:
            return await asyncio.gather(*(self.house.asking(sender, wanted.body()) for sender, wanted in asks))

        for (sender, wanted), response in zip(asks, self.house.run(all_at_once()), strict=True):
            if response.is_success:
                self.judge.grant(Named(sender, None), wanted, response, self.now)

    # --- what goes wrong ---

    @rule(wanted=wants, turns=st.integers(0, 60), restarts=st.booleans())
    def lose_the_answer(self, wanted: Wanted, turns: int, *, restarts: bool) -> None:
        """The sender does not hear whether it was granted, and asks again under the same key."""
        named = self.new_name()
        self.house.abandon(self.house.asking(named.sender, wanted.body(), named.key), turns)
        if restarts and self.restarts < RESTARTS:
            self.restart()
        self.take(named, wanted)
        for row in self.house.rows().values():
            if row.id not in self.model.given:
                unheard = Given(row.id, row.allowed, row.expires_at, row.campaign, state=row.state.value)
                self.judge.unheard(named, wanted, unheard, self.now)

    @rule(wanted=wants)
    def lose_the_disk(self, wanted: Wanted) -> None:
        """Nothing can be written for a while; afterwards the same key gives one permit."""
        named = self.new_name()
        with self.house.broken_disk():
            assert self.ask(named, wanted).status_code in REFUSED
        self.take(named, wanted)

    def new_name(self) -> Named:
        self.lost += 1
        return Named(self.lost % 2, f"lost-{self.lost}")

    @precondition(lambda self: self.restarts < RESTARTS)
    @rule()
    def restart(self) -> None:
        self.restarts += 1
        self.house.restart()
        self.standing.restart(self.now)
        self.tick()

    # --- what becomes of permits ---

    @precondition(lambda self: self.model.given)
    @rule(given=given_permits, total=st.integers(-2, 160))
    def report(self, given: Given, total: int) -> None:
        response = self.house.step(given.id, "report", {"sent": total})
        if total < 0:
            assert response.status_code == 422, response.text
            return
        assert response.is_success, response.text
        if given.state in LIVE and self.now >= given.expires_at and response.json()["state"] == "expired":
            given.state = "expired"  # its end was written down already, by whoever came first
        self.model.report(given, total, self.now)
        assert response.json()["sent"] == given.sent

    @precondition(lambda self: self.model.given)
    @rule(given=given_permits)
    def renew(self, given: Given) -> None:
        response = self.house.step(given.id, "renew")
        if response.is_success:
            assert given.may_be_used(self.now), f"{given} came back"
            assert not self.standing.is_shut(self.now), f"{given} renewed while the gate is shut"
            expires_at = datetime.fromisoformat(response.json()["expires_at"])
            assert expires_at == max(given.expires_at, self.now + HOUR)
            given.state, given.expires_at = "active", expires_at
        else:
            assert response.status_code in REFUSED | {409}, response.text
            assert not (given.may_be_used(self.now) and self.standing.is_open(self.now)), response.text
            self.take_in_pauses()

    @precondition(lambda self: self.model.given)
    @rule(given=given_permits, verb=st.sampled_from(["release", "revoke"]))
    def end(self, given: Given, verb: str) -> None:
        response = self.house.step(given.id, verb, {"reason": "because"} if verb == "revoke" else None)
        assert response.status_code == (200 if given.may_be_used(self.now) else 409), response.text
        if response.is_success:
            given.state = f"{verb}d"

    @precondition(lambda self: self.model.given)
    @rule(given=given_permits)
    def look(self, given: Given) -> None:
        seen = self.house.get(f"/permits/{given.id}").json()
        if self.standing.is_shut(self.now) or given.state != "active" or self.now >= given.expires_at:
            assert seen["must_stop"], f"{given} may go on: {seen}"
        elif self.standing.is_open(self.now):
            assert not seen["must_stop"], f"{given} must stop for nothing: {seen}"

    # --- what happens around them ---

    @rule(wave=caps, hour=caps)
    def change_caps(self, wave: int | None, hour: int | None) -> None:
        named = {"max_audience_per_wave": wave, "max_audience_per_hour": hour}
        self.house.save_policy({name: cap for name, cap in named.items() if cap is not None})
        self.model.wave, self.model.hour = wave, hour
        self.tick()

    @rule(slammed=st.booleans())
    def slam_or_clear(self, *, slammed: bool) -> None:
        self.standing.slammed = slammed
        self.tell()

    @rule(seconds=st.sampled_from([1, 9, 59, 119, 600, 3_599, 3_600, 3_661, 90_000]), silent=st.booleans())
    def wait(self, seconds: int, *, silent: bool) -> None:
        self.house.clock.move(seconds)
        if silent:
            self.tick()
        else:
            self.tell()

    @rule(seconds=st.sampled_from([1, 5, 70, 4_000]))
    def wait_unwatched(self, seconds: int) -> None:
        """Time passes and nobody evaluates: what was open must not stay so for longer than its data is good."""
        self.house.clock.move(seconds)

    @rule(seconds=st.sampled_from([10, 61, 3_700]))
    def set_the_clock_back(self, seconds: int) -> None:
        self.house.clock.move(-seconds)
        self.standing.is_sure = False
        self.tick()
        self.tell()

    @rule(minutes=st.sampled_from([1, 90]), effect=st.sampled_from(["hold", "allow"]), blind=st.booleans())
    def override_by_hand(self, minutes: int, effect: str, *, blind: bool) -> None:
        is_blind = blind and effect == "allow"
        body = {"effect": effect, "duration_minutes": minutes, "even_without_data": is_blind, "comment": "by hand"}
        self.house.override(body)
        self.standing.by_hand.append(ByHand(effect, self.now, self.now + timedelta(minutes=minutes), is_blind))
        self.tick()

    # --- what must hold after every step ---

    @invariant()
    def rows_and_sums_are_what_was_given(self) -> None:
        rows, stored, remembered = self.house.rows(), self.house.stored_sums(), self.house.remembered_sums()
        assert set(rows) == set(self.model.given), "a permit nobody was given, or one that is gone"
        for given in self.model.given.values():
            row = rows[given.id]
            assert (row.allowed, row.sent, row.campaign) == (given.allowed, given.sent, given.campaign)
            assert row.state == given.state or (given.state in LIVE and self.now >= given.expires_at), (row, given)
        assert stored.outstanding == sum(row.outstanding for row in rows.values())
        assert self.model.sent_within(self.now, HOUR) <= stored.sent_last_hour
        assert stored.sent_last_hour <= self.model.sent_within(self.now, HOUR + BOOKING)
        assert stored == remembered

    def check_book(self) -> None:
        """Every change is written down once: one grant, at most one end, pauses and resumptions by turns."""
        for given, kinds in self.house.told_of_permits(self.model.given).items():
            counted = Counter(kinds)
            assert kinds[0] == "permit.granted", (given, kinds)
            assert counted["permit.granted"] == 1, (given, kinds)
            assert sum(counted[kind] for kind in ENDS) == (self.model.given[given].state not in LIVE), (given, kinds)
            turns = [kind for kind in kinds if kind in {"permit.paused", "permit.resumed"}]
            assert turns == ["permit.paused", "permit.resumed"] * (len(turns) // 2) + turns[: len(turns) % 2], turns


TestPermits = Permits.TestCase
TestPermits.settings = settings(
    max_examples=settings().max_examples // 10,
    stateful_step_count=30,
    suppress_health_check=[HealthCheck.too_slow],
)
