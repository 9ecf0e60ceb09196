"""A logged decision, decided again over the API by what was kept of it."""

import sqlite3
import zlib
from contextlib import closing

import pytest

from tests.support.whole import a_whole


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as made:
        yield made


async def review(whole, decision_id):
    async with whole.client("read") as client:
        answered = await client.get(f"/api/v1/decisions/{decision_id}")
    assert answered.status_code == 200, answered.text
    return answered.json()


async def slam(whole):
    """Let the backlog be far past its limit, a second later."""
    whole.clock.move(1)
    await whole.slam()


async def ask(whole, **question):
    """Return the body of an answer, once it is in the log."""
    async with whole.client("readiness") as client:
        answered = await client.get("/api/v1/readiness", params={"gate": "default"} | question)
    await whole.services.asks.write()
    return answered.json()


def as_written(body):
    """Return what `replay` says of a decision that comes out as it was written."""
    decided = {member: body[member] for member in ("state", "allow", "summary", "reasons")}
    return decided | {"same": True, "differs": []}


async def test_a_send_comes_out_the_same(whole):
    body = await review(whole, (await ask(whole, audience=500))["decision_id"])
    assert body["replay"] == as_written(body)
    assert (body["state"], body["allow"], body["not_replayed"]) == ("send", 500, None)
    assert [one["metric"] for one in body["inputs"]] == ["backlog"]


async def test_a_hold_comes_out_the_same_when_the_floor_is_quiet_again(whole):
    await slam(whole)
    answered = await ask(whole, audience=500)
    await whole.evaluate(1)
    await whole.quiet()
    body = await review(whole, answered["decision_id"])
    assert body["replay"] == as_written(body)
    assert body["state"] == "hold"
    assert body["reasons"][0]["observed"] == 500
    assert body["inputs"][0]["value"] == 500


async def test_what_could_not_be_known_comes_out_the_same(whole):
    await whole.evaluate(600)
    body = await review(whole, (await ask(whole))["decision_id"])
    assert body["replay"] == as_written(body)
    assert body["state"] == "unknown"


async def test_an_answer_from_no_evaluation_at_all_comes_out_the_same(whole):
    whole.clock.move(3_600)
    answered = await ask(whole, audience=5)
    assert answered["reasons"][0]["code"] == "data_evaluation_late"
    body = await review(whole, answered["decision_id"])
    assert body["replay"] == as_written(body)
    assert body["state"] == "unknown"


async def test_a_throttle_comes_out_the_same(whole):
    await whole.policy(max_audience_per_wave=100)
    body = await review(whole, (await ask(whole, audience=500, accept_partial="true"))["decision_id"])
    assert body["replay"] == as_written(body)
    assert (body["state"], body["allow"]) == ("throttle", 100)


async def test_a_gate_that_only_watches_comes_out_the_same(whole):
    await whole.policy(mode="shadow")
    await slam(whole)
    body = await review(whole, (await ask(whole, audience=500))["decision_id"])
    assert body["replay"] == as_written(body)
    assert (body["state"], body["allow"], body["status"]) == ("hold", 500, 200)


async def test_a_gate_without_a_policy_comes_out_the_same(whole):
    await whole.services.gates.create("spring")
    await whole.evaluate(1)
    body = await review(whole, (await ask(whole, gate="spring"))["decision_id"])
    assert body["replay"] == as_written(body)
    assert body["state"] == "unknown"


async def test_every_change_of_a_gate_comes_out_the_same(whole):
    await slam(whole)
    await whole.evaluate(300)
    await whole.quiet()
    rows = await whole.services.decisions.page(kind="transition")
    assert [row.verdict for row in reversed(rows)] == ["unknown", "send", "hold", "unknown", "send"]
    for row in rows:
        body = await review(whole, row.id)
        assert body["replay"] == as_written(body)


async def test_a_decision_comes_out_the_same_after_its_policy_changed_and_its_gate_is_gone(whole):
    await slam(whole)
    answered = await ask(whole)
    await whole.policy(rules=[{"metric": "backlog", "hold_above": 900}])
    other_policy = await review(whole, answered["decision_id"])
    await whole.services.gates.delete("default")
    no_gate = await review(whole, answered["decision_id"])
    assert other_policy["replay"] == no_gate["replay"] == as_written(no_gate)
    assert no_gate["state"] == "hold"


async def test_askers_share_what_was_kept_while_nothing_moves(whole, tmp_path):
    await whole.evaluate(1)  # the first one by a new policy is one of its own
    for audience in range(1, 40):
        await ask(whole, audience=audience)
        await whole.evaluate(0.5)
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        (rows,) = connection.execute("SELECT count(*) FROM decisions WHERE kind = 'asked'").fetchone()
        (kept,) = connection.execute(
            "SELECT count(DISTINCT inputs_sha256) FROM decisions WHERE kind = 'asked'"
        ).fetchone()
    assert (rows, kept) == (39, 1)


async def test_a_row_from_before_inputs_were_kept_says_so(whole, tmp_path):
    answered = await ask(whole)
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.execute("UPDATE decisions SET inputs_sha256 = NULL, facts = NULL")
        connection.commit()
    body = await review(whole, answered["decision_id"])
    assert (body["replay"], body["not_replayed"]) == (None, "it was written before its inputs were kept")


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        ("UPDATE decisions SET verdict = 'hold' WHERE kind = 'asked'", ["state"]),
        ("UPDATE decisions SET allow = 900 WHERE kind = 'asked'", ["allow"]),
        ("UPDATE decisions SET summary = 'fine' WHERE kind = 'asked'", ["summary"]),
    ],
)
async def test_a_row_that_was_changed_does_not_come_out_the_same(whole, tmp_path, change, differs):
    answered = await ask(whole, audience=500)
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.execute(change)
        connection.commit()
    replay = (await review(whole, answered["decision_id"]))["replay"]
    assert (replay["same"], replay["differs"]) == (False, differs)


async def test_inputs_that_were_changed_do_not_come_out_the_same(whole, tmp_path):
    answered = await ask(whole, audience=500)
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        for digest, body in connection.execute("SELECT sha256, body FROM decision_inputs").fetchall():
            forged = zlib.compress(zlib.decompress(body).replace(b'"acd-1"', b'"acd-2"'))
            connection.execute("UPDATE decision_inputs SET body = ? WHERE sha256 = ?", (forged, digest))
        connection.commit()
    replay = (await review(whole, answered["decision_id"]))["replay"]
    assert (replay["same"], replay["differs"]) == (False, ["inputs"])


@pytest.mark.parametrize("body", [b"{}", b"no json", b'{"inputs":{"seen":3}}'])
async def test_inputs_that_cannot_be_read_are_no_answer_and_no_crash(whole, tmp_path, body):
    answered = await ask(whole, audience=500)
    with closing(sqlite3.connect(tmp_path / "holdfire.db")) as connection:
        connection.execute(
            "UPDATE decision_inputs SET body = ? WHERE policy_sha256 IS NOT NULL", (zlib.compress(body),)
        )
        connection.commit()
    found = await review(whole, answered["decision_id"])
    assert found["replay"] is None
    assert "cannot be read" in found["not_replayed"]


# --- what the rest of holdfire has decided ---

WAVES = {"mode": "waves", "audience_per_wave": 100, "wave_gap_seconds": 60}


async def review_all(whole):
    """Return every line of the log, decided again."""
    await whole.services.asks.write()
    return [await review(whole, row.id) for row in await whole.services.decisions.page(limit=500)]


def codes_in(bodies):
    return {reason["code"] for body in bodies for reason in body["reasons"]}


async def test_permits_come_out_the_same_with_what_was_given_away_before_them(whole):
    await whole.policy(max_audience_per_hour=1_000)
    async with whole.client("permits") as client:
        for audience, partial in ((600, False), (300, False), (500, False), (500, True), (5, True)):
            body = {"gate": "default", "campaign": "spring", "audience": audience, "accept_partial": partial}
            await client.post("/api/v1/permits", json=body)
            await client.post("/api/v1/permits", json=body | {"dry_run": True})
    reviewed = await review_all(whole)
    assert [body["replay"] for body in reviewed] == [as_written(body) for body in reviewed]
    assert "headroom_spent" in codes_in(reviewed)
    granted = [row for row in await whole.services.decisions.page() if row.status == 200 and row.kind == "asked"]
    assert sorted(row.allow for row in granted) == [100, 300, 600]


async def test_answers_and_changes_under_an_override_come_out_the_same_when_it_is_over(whole):
    path = "/api/v1/gates/default/overrides"
    override = {"comment": "phones are down", "created_by": "Ann", "duration_minutes": 5}
    only_spring = [{"name": "campaign", "value": "spring"}]
    async with whole.client("admin", "readiness") as client:
        await client.post(path, json=override | {"effect": "hold"})
        await whole.evaluate(1)
        await client.get("/api/v1/readiness?audience=5")
        whole.clock.move(301)
        await slam(whole)
        await client.post(path, json=override | {"effect": "allow", "matchers": only_spring})
        await whole.evaluate(1)
        for campaign in ("spring", "autumn"):
            await client.get(f"/api/v1/readiness?audience=5&campaign={campaign}")
        await client.post(path, json=override | {"effect": "allow", "even_without_data": True})
        await whole.evaluate(240)
        await client.get("/api/v1/readiness?audience=5")
        await whole.evaluate(3_600)
    reviewed = await review_all(whole)
    assert [body["replay"] for body in reviewed] == [as_written(body) for body in reviewed]
    assert {"override_hold", "override_allow", "backlog_high"} <= codes_in(reviewed)


async def test_what_a_campaign_was_told_comes_out_the_same(whole):
    await whole.policy(notice_minutes=60, exempt_traffic_classes=["service"])
    async with whole.client("campaigns", "readiness", "permits") as client:
        for name, members in (("spring", {}), ("bill", {"traffic_class": "service"})):
            plan = {"id": name, "title": name, "audience": 1_000, "release": WAVES}
            await client.post("/api/v1/campaigns", json=plan | members)
            await client.get(f"/api/v1/readiness?audience=5&campaign={name}")
            await client.post(f"/api/v1/campaigns/{name}/schedule", json={"reason": "because"})
            await whole.evaluate(1)
            await client.get(f"/api/v1/readiness?audience=5&campaign={name}")
        for _ in range(4):
            whole.clock.move(3_700)
            await whole.quiet()
            await whole.services.releases.advance()
            await client.get("/api/v1/readiness?audience=900&campaign=spring&accept_partial=true")
        await client.post("/api/v1/campaigns/spring/pause", json={"reason": "because"})
        await whole.evaluate(1)
        await client.get("/api/v1/readiness?audience=5&campaign=spring")
    reviewed = await review_all(whole)
    assert [body["replay"] for body in reviewed] == [as_written(body) for body in reviewed]
    named = {"campaign_not_started", "notice_too_short", "campaign_paused", "exempt_traffic_class"}
    assert named <= codes_in(reviewed)
