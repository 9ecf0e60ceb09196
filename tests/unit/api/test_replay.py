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


async def the_same(whole, decision_id, state):
    """Check that a decision comes out the same, and return it."""
    body = await review(whole, decision_id)
    replay = body["replay"]
    assert replay["same"], (replay, body)
    assert (replay["differs"], body["not_replayed"]) == ([], None)
    assert replay["state"] == body["state"] == state
    assert (replay["allow"], replay["reasons"], replay["summary"]) == (body["allow"], body["reasons"], body["summary"])
    return body


async def test_a_send_comes_out_the_same(whole):
    body = await the_same(whole, (await ask(whole, audience=500))["decision_id"], "send")
    assert body["allow"] == 500
    assert [one["metric"] for one in body["inputs"]] == ["backlog"]


async def test_a_hold_comes_out_the_same_when_the_floor_is_quiet_again(whole):
    await slam(whole)
    answered = await ask(whole, audience=500)
    await whole.evaluate(1)
    await whole.quiet()
    body = await the_same(whole, answered["decision_id"], "hold")
    assert body["reasons"][0]["observed"] == 500
    assert body["inputs"][0]["value"] == 500


async def test_what_could_not_be_known_comes_out_the_same(whole):
    await whole.evaluate(600)
    await the_same(whole, (await ask(whole))["decision_id"], "unknown")


async def test_an_answer_from_no_evaluation_at_all_comes_out_the_same(whole):
    whole.clock.move(3_600)
    answered = await ask(whole, audience=5)
    assert answered["reasons"][0]["code"] == "data_evaluation_late"
    await the_same(whole, answered["decision_id"], "unknown")


async def test_a_throttle_comes_out_the_same(whole):
    await whole.policy(max_audience_per_wave=100)
    body = await the_same(whole, (await ask(whole, audience=500, accept_partial="true"))["decision_id"], "throttle")
    assert body["allow"] == 100


async def test_a_gate_that_only_watches_comes_out_the_same(whole):
    await whole.policy(mode="shadow")
    await slam(whole)
    body = await the_same(whole, (await ask(whole, audience=500))["decision_id"], "hold")
    assert (body["allow"], body["status"]) == (500, 200)


async def test_a_gate_without_a_policy_comes_out_the_same(whole):
    await whole.services.gates.create("spring")
    await whole.evaluate(1)
    await the_same(whole, (await ask(whole, gate="spring"))["decision_id"], "unknown")


async def test_every_change_of_a_gate_comes_out_the_same(whole):
    await slam(whole)
    await whole.evaluate(300)
    await whole.quiet()
    rows = await whole.services.decisions.page(kind="transition")
    assert [row.verdict for row in reversed(rows)] == ["unknown", "send", "hold", "unknown", "send"]
    for row in rows:
        await the_same(whole, row.id, row.verdict)


async def test_a_decision_comes_out_the_same_after_its_policy_changed_and_its_gate_is_gone(whole):
    await slam(whole)
    answered = await ask(whole)
    await whole.policy(rules=[{"metric": "backlog", "hold_above": 900}])
    await the_same(whole, answered["decision_id"], "hold")
    await whole.services.gates.delete("default")
    await the_same(whole, answered["decision_id"], "hold")


async def test_thousands_of_askers_of_one_evaluation_share_what_was_kept(whole, tmp_path):
    for audience in range(1, 40):
        await ask(whole, audience=audience)
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
