"""No query that runs often may read a whole large table: what SQLite itself says about every statement."""

import re

import pytest
from sqlalchemy import event

from app.core.floor.metric import Metric
from app.core.floor.rollup import RollupDelta
from app.core.gate.decision import Verdict
from app.ports.backtest import PackableDay
from app.ports.decisions import DecisionRow, KeptInputs
from app.ports.evaluation import Checkpoint, Transition
from app.store.decisions import transition_id
from tests.support.builders import NOW, a_contact, after, an_event, an_observation
from tests.support.databases import a_store

LARGE = (
    "observations|contact_events|decisions|decision_inputs|events|rollup_minutes|rollup_hours|flow_minutes"
    "|queued|answered|abandoned|completed|transferred|tagged_contacts|contact_tallies"
)
GAIN = RollupDelta("orders", Metric.BACKLOG, NOW, 1, 1, 1, 1, 1, NOW)
KEPT = KeptInputs(b"\x01" * 32, b"{}", KeptInputs(b"\x02" * 32, b"{}"))
CHANGE = Transition("default", NOW, Verdict.HOLD, Verdict.SEND, 1, "", [], [], KEPT)
ASKED = DecisionRow("dec_1", "asked", "default", NOW, "send", 1, "", asked_by="key1", kept=KEPT)

GROUPED = {"minutes", "hours", "flows"}  # they sort the few steps of one series


@pytest.fixture
async def store(tmp_path):
    async with a_store(tmp_path) as opened:
        yield opened


async def plans(store, call):
    """Return the plan of every statement that a call of the store executes."""
    seen = []
    engines = (store.database._read_engine, store.database.writer.engine)

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.split()[0] in {"SELECT", "DELETE", "UPDATE", "INSERT"}:
            seen.append((statement, parameters[0] if _many else parameters))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    await call()
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)
    assert seen

    def explain(connection):
        rows = (
            connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters) for statement, parameters in seen
        )
        return [row.detail for result in rows for row in result]

    return await store.database.read(explain)


CALLS = {
    "days to pack": lambda s: s.packs.unpacked(after(1e7), 5),
    "pack": lambda s: s.packs.pack(PackableDay("orders", "backlog", 20_000)),
    "append": lambda s: s.stream.append([an_observation(), an_observation(), a_contact()]),
    "read": lambda s: s.stream.read(5),
    "position_before": lambda s: s.stream.position_before(NOW),
    "prune": lambda s: s.stream.prune(NOW),
    "flush": lambda s: s.evaluation.flush(Checkpoint(1, NOW, {}), [CHANGE], [GAIN]),
    "decision": lambda s: s.decisions.decision(transition_id(CHANGE)),
    "newest decisions": lambda s: s.decisions.decisions(),
    "a gate's decisions": lambda s: s.decisions.decisions(gate="default", before=(NOW, "dec_1")),
    "a day's decisions": lambda s: s.decisions.decisions(start=NOW, until=after(86_400), verdict="hold"),
    "a key's decisions": lambda s: s.decisions.decisions(asked_by=["key1"], before=(after(60), "dec_1")),
    "a campaign's decisions": lambda s: s.decisions.decisions(campaign="spring", after=(NOW, "")),
    "a gate's turns": lambda s: s.decisions.turns("default", NOW, after(86_400), 5),
    "record": lambda s: s.decisions.record([ASKED]),
    "append events": lambda s: s.events.append([an_event(), an_event()]),
    "event": lambda s: s.events.event(1),
    "newest events": lambda s: s.events.events(),
    "events of a type": lambda s: s.events.events(type="gate.created", before=7),
    "events about something": lambda s: s.events.events(subject="gate/default"),
    "a gate's events": lambda s: s.events.events(gate="default"),
    "a campaign's events": lambda s: s.events.events(campaign="spring"),
    "the page before a gate's events": lambda s: s.events.events(gate="default", after=1),
    "a key's events": lambda s: s.events.events(actor="key1"),
    "a day's events": lambda s: s.events.events(start=NOW, until=after(86_400), before=7),
    "a gate's events of a day": lambda s: s.events.events(start=NOW, until=after(86_400), gate="default"),
    "minutes": lambda s: s.history.history("orders", Metric.BACKLOG, NOW, after(600), 60),
    "hours": lambda s: s.history.history("orders", Metric.BACKLOG, NOW, after(7200), 3600),
    "totals": lambda s: s.history.contact_totals(NOW, after(600), 20),
    "flows": lambda s: s.flows.flows("orders", after(-86_400), NOW, 300),
    "count a tagged contact": lambda s: s.tallies.count([a_contact(campaign="spring")], 1, NOW),
    "move a tagged contact": lambda s: s.tallies.count(
        [a_contact(contact_id="some", campaign="spring"), a_contact("completed", contact_id="some", reason="price")],
        *(1, NOW),
    ),
    "tagged_among": lambda s: s.tallies.tagged_among(["c-1", "c-2"]),
    "tallies": lambda s: s.tallies.tallies(["spring", "spring/holdout"]),
    "forget_contacts": lambda s: s.tallies.forget_contacts(NOW),
    "prune_rollups": lambda s: s.history.prune_rollups(NOW),
}


@pytest.mark.parametrize("name", CALLS)
async def test_large_tables_are_searched_by_key_and_neither_scanned_nor_sorted(store, name):
    await store.stream.append([an_observation(source="some"), a_contact(contact_id="some")])
    await store.evaluation.flush(Checkpoint(1, NOW, {}), [CHANGE], [GAIN])
    await store.tallies.count([a_contact(contact_id="some", campaign="spring")], 1, NOW)
    for step in await plans(store, lambda: CALLS[name](store)):
        assert not re.fullmatch(rf"SCAN ({LARGE})", step), step
        assert "TEMP B-TREE FOR ORDER BY" not in step or name in GROUPED, step


async def test_what_a_gate_changed_to_before_is_found_in_the_index_of_its_changes(store):
    found = await plans(store, lambda: store.evaluation.flush(Checkpoint(1, NOW, {}), [CHANGE], []))
    assert any(
        step.startswith("SEARCH decisions USING INDEX uq_decisions_transition (gate=? AND at<?") for step in found
    )


async def test_the_places_of_a_span_are_found_in_the_index_of_instants(store):
    found = await plans(store, lambda: store.events.events(start=NOW, until=after(86_400)))
    assert found.count("SEARCH spanned USING COVERING INDEX ix_events_at (at>? AND at<?)") == 2


async def test_a_check_of_plans_notices_a_scan(store):
    detail = await plans(store, lambda: store.database.read(_scan))
    assert any(re.fullmatch(rf"SCAN ({LARGE})", step) for step in detail)


def _scan(connection):
    return connection.exec_driver_sql("SELECT count(*) FROM observations WHERE backlog = 1").scalar()
