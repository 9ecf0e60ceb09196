from zoneinfo import ZoneInfo

import pytest

from app.ports.sources import Fed, Refusal
from app.services.sources import Sources
from app.web.sources.view import (
    COLUMNS,
    FAILING,
    FRESH,
    REFUSED,
    STALE,
    WAITING,
    Reader,
    Watch,
    cells,
    queue_cells,
    refusal_cells,
    source_detail,
    source_row,
    standing,
)
from tests.support.builders import NOW, a_contact, after, an_observation

ZONE = ZoneInfo("America/Chicago")
WATCHED = {"orders": Watch(("default", "spring"), 60), "billing": Watch(("default",), 300)}
SAMPLE = an_observation("orders", NOW, backlog=12, service_level_ratio=0.714, window_seconds=300.0, channel="voice")


def reader(seconds: float = 0.0) -> Reader:
    return Reader(WATCHED, {"orders": "Orders"}, ZONE, after(seconds), 120)


LATER = after(2)


def heard(sample=SAMPLE, queues=("orders",), at=LATER):
    sources = Sources()
    sources.sampled("acd 1/x", sample, {queue: Fed(NOW, "voice") for queue in queues})
    sources.heard("acd 1/x", accepted=3, duplicates=1, rejected=0, observed_at=NOW, at=at)
    (health,) = sources.all()
    return health


@pytest.mark.parametrize(
    ("queues", "seconds", "stands"),
    [
        (["orders"], 60, FRESH),
        (["orders"], 61, STALE),
        (["billing"], 61, FRESH),
        (["billing", "orders"], 61, STALE),
        (["nobody's"], 120, FRESH),
        (["nobody's"], 121, STALE),
    ],
)
def test_a_source_is_stale_when_the_strictest_gate_says_so(queues, seconds, stands):
    assert standing(heard(queues=queues), reader(seconds)) is stands


def test_faults_go_before_age():
    health = heard()
    health.consecutive_failures = 1
    assert standing(health, reader()) is REFUSED
    health.status = "failing"
    assert standing(health, reader()) is FAILING
    sources = Sources()
    sources.working("pbx", "queue_log", "waiting", NOW)
    (waiting,) = sources.all()
    assert standing(waiting, reader()) is WAITING
    assert source_row(waiting, reader()).age == "–"  # noqa: RUF001


def test_a_line_says_how_fast_and_how_late():
    row = source_row(heard(), reader(30))
    assert (row.href, row.kind, row.age, row.stale_after) == (
        "/sources/acd%201%2Fx",
        "sends to us",
        "30\u202fs",
        "1\u202fmin",
    )
    assert (row.per_minute, row.lag, row.clock) == ("0.8", "2\u202fs", "not known")
    assert source_row(heard(at=after(-5)), reader()).clock == "5\u202fs ahead"
    assert source_row(heard(at=after(-5)), reader()).lag == "none"


def test_the_last_sample_is_shown_field_by_field_without_what_was_not_reported():
    fields = {
        field.name: (field.title, field.at.text if field.at else field.text)
        for field in source_detail(heard(), reader()).sample
    }
    assert fields["backlog"] == ("Backlog", "12")
    assert fields["service_level_ratio"] == ("Service level", "71.4\u202f%")
    assert fields["window_seconds"] == ("Window", "5\u202fmin")
    assert fields["observed_at"] == ("Observed", "Sat 21 Nov 2026 09:00:00")
    assert "agents_staffed" not in fields


def test_what_may_name_a_person_is_not_shown_of_a_contact_event():
    health = heard(a_contact(contact_id="c-77", agent="Erika M", campaign="spring"))
    shown = source_detail(health, reader())
    assert shown.sample_kind == "contact event"
    texts = {field.name: field.text for field in shown.sample}
    assert texts["agent"] == texts["contact_id"] == "given, and not shown here"
    assert texts["campaign"] == "spring"


def test_queues_say_who_goes_by_them():
    rows = source_detail(heard(queues=("orders", "alone")), reader(90)).queues
    assert [(row.title, row.gates, row.standing, row.stale_after) for row in rows] == [
        ("Orders", ("default", "spring"), STALE, "1\u202fmin"),
        ("alone", (), FRESH, "no gate watches it"),
    ]


def test_the_newest_refusal_comes_first():
    health = heard()
    health.refusals.extend([Refusal(NOW, "/backlog", "too few", "-3"), Refusal(after(1), "", "no JSON")])
    assert [(row.pointer, row.value) for row in source_detail(health, reader(2)).refusals] == [
        ("the whole item", "–"),  # noqa: RUF001
        ("/backlog", "-3"),
    ]
    assert [row[1] for row in refusal_cells(health)] == ["", "/backlog"]


def test_what_a_worker_says_of_itself_is_told():
    sources = Sources()
    sources.working("pbx", "queue_log", "following", NOW, read_bytes=7)
    (health,) = sources.all()
    assert source_detail(health, reader()).worker == (
        ("Says of itself", "following"),
        ("Read bytes", "7"),
        ("Reported at", "Sat 21 Nov 2026 09:00:00"),
    )


def test_files_have_a_cell_for_every_column():
    row = dict(zip(COLUMNS, cells(heard(), reader(61)), strict=True))
    assert (row["state"], row["lag_seconds"], row["stale_after_seconds"], row["queues"]) == ("stale", 2, 60, ["orders"])
    assert queue_cells(heard(), reader()) == [("orders", "voice", NOW, 60, ["default", "spring"])]
