"""Schedules over HTTP: what a file is understood as, what is refused, what a second upload changes."""

import csv
from io import StringIO

import pytest

from app.core.floor.targets import QueueTargets
from tests.support.builders import NOW
from tests.support.whole import a_whole

URL = "/api/v1/queues/orders-voice/staffing"
DAY = "Date,Interval,Required,Scheduled,Open\n11/23/2026,8:00 AM,10,14,12.5\n11/23/2026,8:30 AM,11,14,{second}\n"
CHICAGO = {"time_zone": "America/Chicago"}
CSV = {"Content-Type": "text/csv"}
WEEK = {"from": "2026-11-23T00:00:00Z", "to": "2026-11-30T00:00:00Z"}


@pytest.fixture
async def whole(tmp_path):
    async with a_whole(tmp_path) as whole:
        yield whole


@pytest.fixture
async def client(whole):
    async with whole.client("read", "policies") as client:
        yield client


async def upload(client, text, url=URL, headers=CSV, **query):
    return await client.put(url, content=text, headers=headers, params=CHICAGO | query)


async def refusals(client, text, **query):
    """Return pointer and sentence of each fault; nothing may have been saved."""
    answer = await upload(client, text, **query)
    assert answer.status_code == 422, answer.text
    assert (await client.get(URL, params=WEEK)).json()["revision"] == 0
    return [(error["pointer"], error["detail"]) for error in answer.json()["errors"]]


async def agents(client, **query):
    found = (await client.get(URL, params=WEEK | query)).json()["intervals"]
    return [(each["starts_at"][11:16], each["agents"]) for each in found if each["agents"]]


# --- what an upload says and does ---


async def test_an_upload_says_how_it_was_understood_and_what_it_changed(client):
    answer = await upload(client, DAY.format(second=12.75))
    assert answer.status_code == 200, answer.text
    assert answer.headers["etag"] == '"1"'
    assert answer.json() == {
        "queue": "orders-voice",
        "revision": 1,
        "time_zone": "America/Chicago",
        "saved": True,
        "days": [
            {
                "day": "2026-11-23",
                "changed": True,
                "before": None,
                "after": {"intervals": 2, "agent_hours": 12.625, "most_agents": 12.75},
            }
        ],
        "understood": {
            "separator": ",",
            "header_line": 1,
            "columns": {"date": "Date", "time": "Interval", "agents": "Open"},
            "date_order": "mdy",
            "interval_minutes": 30,
            "lines": 2,
            "left_out": [],
        },
    }


async def test_a_schedule_is_read_back_in_utc_with_nobody_outside_its_intervals(client):
    await upload(client, DAY.format(second=12.75))
    read = (await client.get(URL, params=WEEK)).json()
    assert read["intervals"] == [
        {"starts_at": "2026-11-23T06:00:00Z", "ends_at": "2026-11-23T14:00:00Z", "agents": 0.0},
        {"starts_at": "2026-11-23T14:00:00Z", "ends_at": "2026-11-23T14:30:00Z", "agents": 12.5},
        {"starts_at": "2026-11-23T14:30:00Z", "ends_at": "2026-11-23T15:00:00Z", "agents": 12.75},
        {"starts_at": "2026-11-23T15:00:00Z", "ends_at": "2026-11-24T06:00:00Z", "agents": 0.0},
    ]
    assert (read["revision"], read["time_zone"]) == (1, "America/Chicago")


async def test_a_schedule_read_back_as_a_file_can_be_uploaded_again_and_changes_nothing(client):
    await upload(client, DAY.format(second=12.75))
    file = await client.get(URL, params=WEEK | {"format": "csv"})
    assert file.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(StringIO(file.text)))
    assert [row["agents"] for row in rows] == ["0", "12.5", "12.75", "0"]
    again = (await upload(client, file.text)).json()
    assert (again["saved"], again["revision"], again["days"][0]["changed"]) == (False, 1, False)


async def test_what_is_read_by_default_is_whole_from_the_beginning_of_the_local_day(client, whole):
    await upload(client, "Date,Time,Agents\n2026-11-21,08:00-08:30,5\n")
    whole.clock.move(12.5)
    first, *_ = (await client.get(URL)).json()["intervals"]
    assert first["starts_at"] == "2026-11-21T06:00:00Z"
    again = await upload(client, (await client.get(URL, params={"format": "csv"})).text)
    assert (again.status_code, again.json()["saved"]) == (200, False)


async def test_a_second_upload_replaces_the_days_it_has_and_leaves_the_others(client):
    await upload(client, DAY.format(second=12.75) + "11/24/2026,8:00 AM,9,9,9\n")
    answer = (await upload(client, DAY.format(second=3))).json()
    assert [(day["day"], day["before"]["most_agents"], day["after"]["most_agents"]) for day in answer["days"]] == [
        ("2026-11-23", 12.75, 12.5)
    ]
    assert await agents(client) == [("14:00", 12.5), ("14:30", 3), ("14:00", 9)]
    await upload(client, "Date,Interval,Open\n2026-11-23,10:00-10:30,4\n")
    assert await agents(client) == [("16:00", 4), ("14:00", 9)]


async def test_a_dry_run_says_the_same_and_changes_nothing(client):
    tried = (await upload(client, DAY.format(second=12), dry_run="true")).json()
    assert (tried["saved"], tried["revision"], tried["days"][0]["changed"]) == (False, 0, True)
    assert await agents(client) == []


async def test_an_upload_is_an_event_with_both_sides(client, whole):
    await upload(client, DAY.format(second=12))
    await upload(client, DAY.format(second=9))
    newest, _ = await whole.store.events.events(type="staffing.saved")
    assert newest.event.subject == "queue/orders-voice"
    assert newest.event.before["days"]["2026-11-23"]["agent_hours"] == 12.25
    assert newest.event.after["days"]["2026-11-23"]["agent_hours"] == 10.75


async def test_json_takes_fractional_agents_and_names_each_bad_interval(client):
    good = {"starts_at": "2026-11-23T14:00:00Z", "ends_at": "2026-11-23T08:30:00-06:00", "agents": 12.5}
    saved = await client.put(URL, json={"intervals": [good]} | CHICAGO)
    assert saved.status_code == 200, saved.text
    assert await agents(client) == [("14:00", 12.5)]
    bad = [
        good | {"agents": -1},
        good | {"starts_at": "2026-11-23T14:00:00"},
        good | {"colour": "red"},
        7,
        good | {"agents": "12"},
        good | {"ends_at": good["starts_at"]},
    ]
    refused = await client.put(URL, json={"intervals": bad, "gaps": "maybe", "time_zone": "Mars"})
    assert refused.status_code == 422
    assert [error["pointer"] for error in refused.json()["errors"]] == [
        "/intervals/0/agents",
        "/intervals/1/starts_at",
        "/intervals/2/colour",
        "/intervals/3",
        "/intervals/4/agents",
        "/time_zone",
        "/gaps",
    ]


# --- what is refused ---


async def test_every_bad_line_is_named_and_nothing_is_saved(client):
    text = (
        "Date,Time,Agents\n2026-11-23,08:00,12\n2026-11-23,08:30,-4\n2026-11-23,09:00,nan\n2026-11-23,09:30,\n"
        "2026-11-23,10:00,twelve\n2026-02-30,10:30,1\n2026-11-23,25:00,1\n2026-11-23,11:00,100001\n2026-11-23,11:30,5\n"
    )
    found = await refusals(client, text)
    assert [pointer for pointer, _ in found] == [f"/lines/{line}" for line in (3, 4, 5, 6, 7, 8)]
    assert found[0][1] == 'line 3: "-4" is negative; agents are 0 or more'
    assert "write 0 where nobody is there" in found[2][1]
    world = await refusals(client, "Date,Time,Agents\n2026-11-23,11:00,100001\n2026-11-23,11:30,5\n")
    assert world == [("/lines/2", "line 2: 100001 agents: a number from 0 to 100,000 is allowed")]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("08:00-08:30,5", "08:15-08:45,5"), "overlaps line 2"),
        (("08:00-08:30,5", "08:00-08:30,5"), "overlaps line 2"),
        (("08:00-08:30,5", "09:00-09:30,5"), "nothing says who is there on 2026-11-23 from 08:30 to 09:00"),
        (("08:00,5",), "how long an interval lasts cannot be told"),
        (("08:00,5", "08:47,5"), "the closest two are 47 min apart"),
    ],
)
async def test_overlaps_gaps_and_intervals_without_length_are_refused(client, lines, said):
    ((pointer, detail),) = await refusals(client, "Date,Time,Agents\n" + "".join(f"2026-11-23,{x}\n" for x in lines))
    assert pointer in {"/lines/2", "/lines/3"}
    assert said in detail


async def test_a_gap_may_be_stated_or_lie_in_closed_hours(client):
    text = "Date,Time,Agents\n2026-11-23,08:00-08:30,5\n2026-11-23,13:00-13:30,5\n"
    assert (await upload(client, text, gaps="closed")).status_code == 200
    weekly = [
        {"days": ["tue"], "from": "08:00", "to": "09:00"},
        {"days": ["tue"], "from": "13:00", "to": "14:00"},
    ]
    await client.put("/api/v1/queues/orders-voice/hours", json=CHICAGO | {"weekly": weekly})
    assert (await upload(client, text.replace("-23", "-24"))).status_code == 422  # from 08:30 to 09:00 it is open
    whole_morning = text.replace("-23", "-24").replace("08:30", "09:00")
    assert (await upload(client, whole_morning)).status_code == 200


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ({"time_zone": "Mars"}, "/query/time_zone"),
        ({"date_order": "ymd"}, "/query/date_order"),
        ({"interval_minutes": "0"}, "/query/interval_minutes"),
        ({"gaps": "maybe"}, "/query/gaps"),
        ({"agent_column": "Open"}, "/query/agent_column"),
    ],
)
async def test_options_that_are_not_sound_are_refused_with_a_pointer(client, query, pointer):
    ((found, _),) = await refusals(client, DAY.format(second=1), **query)
    assert found == pointer


async def test_local_times_without_any_zone_are_refused_and_the_queues_own_hours_give_one(client):
    refused = await client.put(URL, content=DAY.format(second=1), headers=CSV)
    assert refused.status_code == 422
    assert "is in no zone; say time_zone=" in refused.json()["errors"][0]["detail"]
    weekly = [{"days": ["mon"], "from": "08:00", "to": "09:00"}]
    await client.put("/api/v1/hours", json={"time_zone": "Europe/Berlin", "weekly": weekly})
    saved = await client.put(URL, content=DAY.format(second=1), headers=CSV)
    assert saved.json()["time_zone"] == "Europe/Berlin"
    assert (await agents(client))[0] == ("07:00", 12.5)


@pytest.mark.parametrize("media_type", ["application/xml", "", "application/vnd.ms-excel"])
async def test_another_form_than_csv_or_json_is_refused(client, media_type):
    answer = await upload(client, DAY.format(second=1), headers={"Content-Type": media_type})
    assert answer.status_code == 415


@pytest.mark.parametrize(
    "content", [b"", b"PK\x03\x04\x00\x00", b"\xff\xfe\xff", b'"', b"\n" * 500, b"a,b\n1,2\n", b"{}"]
)
async def test_what_is_no_schedule_is_refused_and_not_an_exception(client, content):
    answer = await upload(client, content)
    assert answer.status_code == 422
    assert answer.json()["errors"]


async def test_a_key_that_may_only_read_saves_nothing(whole):
    async with whole.client("read") as reader:
        assert (await upload(reader, DAY.format(second=1))).status_code == 403
        assert (await reader.delete(URL, params={"first_day": "2026-11-23"})).status_code == 403


# --- several queues in a file ---

SKILLS = "Skill;Date;Time;Staffed\norders-voice;23.11.2026;08:00;12,5\norders-voice;23.11.2026;08:15;12\n"
BILLING = "Billing Team;23.11.2026;08:00;3\nBilling Team;23.11.2026;08:15;4\n"


async def test_of_a_file_with_several_queues_one_queue_takes_its_own_lines(client):
    await upload(client, SKILLS + BILLING)
    assert await agents(client) == [("14:00", 12.5), ("14:15", 12)]
    named = await upload(client, SKILLS + BILLING, "/api/v1/queues/billing/staffing", queue_value="Billing Team")
    assert named.json()["days"][0]["after"]["most_agents"] == 4
    missing = await upload(client, SKILLS + BILLING, "/api/v1/queues/chat/staffing")
    assert missing.json()["errors"][0]["detail"].startswith('no line is about "chat"; the column "Skill" has "Billing')


async def test_a_file_with_several_queues_is_saved_for_all_or_for_none(client):
    answer = await upload(client, SKILLS + BILLING, "/api/v1/staffing")
    assert [change["queue"] for change in answer.json()["items"]] == ["orders-voice", "Billing Team"]
    listed = (await client.get("/api/v1/staffing")).json()["items"]
    assert [(each["queue"], each["revision"]) for each in listed] == [("Billing Team", 1), ("orders-voice", 1)]
    bad = await upload(client, SKILLS.replace("12,5", "99") + BILLING + BILLING, "/api/v1/staffing")
    assert bad.status_code == 422
    assert (await agents(client))[0] == ("14:00", 12.5)
    no_column = await upload(client, DAY.format(second=1), "/api/v1/staffing")
    assert "no column names the queue" in no_column.json()["errors"][0]["detail"]


# --- preconditions and deleting ---


async def test_if_match_is_heeded_where_it_is_sent(client):
    first = await upload(client, DAY.format(second=1), headers=CSV | {"If-Match": '"1"'})
    assert first.status_code == 412
    await upload(client, DAY.format(second=1))
    await upload(client, DAY.format(second=2))
    late = await upload(client, DAY.format(second=3), headers=CSV | {"If-Match": '"1"'})
    assert late.status_code == 412
    good = await upload(client, DAY.format(second=3), headers=CSV | {"If-Match": '"2"'})
    assert (good.status_code, good.headers["etag"]) == (200, '"3"')


async def test_deleted_days_are_covered_no_more(client):
    await upload(client, DAY.format(second=1) + "11/24/2026,8:00 AM,9,9,9\n")
    gone = await client.delete(URL, params={"first_day": "2026-11-23"})
    assert gone.json()["days"][0]["after"] is None
    assert await agents(client) == [("14:00", 9)]
    assert (await client.delete(URL, params={"first_day": "2026-11-24", "last_day": "2026-11-23"})).status_code == 422
    assert (await client.delete(URL)).status_code == 422
    nowhere = await client.delete("/api/v1/queues/chat/staffing", params={"first_day": "2026-11-24"})
    assert nowhere.status_code == 404


@pytest.mark.parametrize("until", ["2026-11-21T00:00:00Z", "2029-11-21T00:00:00Z"])
async def test_a_span_that_is_empty_or_endless_is_refused(client, until):
    answer = await client.get(URL, params={"from": "2026-11-22T00:00:00Z", "to": until})
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/query/to"]


# --- opening hours ---

WEEKDAYS = {"days": ["mon", "tue"], "from": "08:00", "to": "20:00"}
HOURS = CHICAGO | {
    "weekly": [WEEKDAYS],
    "closed": ["2026-12-25"],
    "special": [{"date": "2026-12-24", "from": "08:00", "to": "13:00"}],
}
HOURS_URL = "/api/v1/queues/orders-voice/hours"


async def test_a_queue_has_its_own_hours_else_those_of_all_else_none(client):
    none = (await client.get(HOURS_URL)).json()
    assert (none["applies"], none["hours"], none["revision"]) == ("none", None, 0)
    shared = HOURS | {"time_zone": "UTC"}
    assert (await client.put("/api/v1/hours", json=shared)).status_code == 200
    assert (await client.get(HOURS_URL)).json()["hours"] == shared
    own = await client.put(HOURS_URL, json=HOURS)
    assert (own.json()["applies"], own.json()["hours"], own.headers["etag"]) == ("own", HOURS, '"1"')
    assert (await client.delete(HOURS_URL)).status_code == 428
    assert (await client.delete(HOURS_URL, headers={"If-Match": '"1"'})).status_code == 204
    assert (await client.get(HOURS_URL)).json()["applies"] == "all_queues"
    assert (await client.delete(HOURS_URL)).status_code == 404
    anew = await client.put(HOURS_URL, json=HOURS)
    assert anew.headers["etag"] == '"3"'


async def test_hours_are_changed_only_by_who_has_read_them(client):
    await client.put(HOURS_URL, json=HOURS)
    assert (await client.put(HOURS_URL, json=HOURS)).status_code == 428
    assert (await client.put(HOURS_URL, json=HOURS, headers={"If-Match": '"7"'})).status_code == 412
    assert (await client.put(HOURS_URL, json=HOURS, headers={"If-Match": '"1"'})).status_code == 200


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"time_zone": "Mars"}, "/time_zone"),
        ({"weekly": []}, "/weekly"),
        ({"weekly": [{"days": ["mon"], "from": "20:00", "to": "08:00"}]}, "/weekly/0/to"),
        ({"weekly": [{"days": ["mon"], "from": "8", "to": "18:00"}]}, "/weekly/0/from"),
        ({"weekly": [{"days": ["someday"], "from": "08:00", "to": "18:00"}]}, "/weekly/0/days/0"),
        ({"weekly": [WEEKDAYS, WEEKDAYS]}, "/weekly/1"),
        ({"closed": ["25.12.2026"]}, "/closed/0"),
        ({"closed": ["2026-12-24"]}, "/special"),
        ({"special": [{"date": "2026-02-30", "from": "08:00", "to": "13:00"}]}, "/special/0/date"),
        ({"colour": "red"}, "/colour"),
    ],
)
async def test_hours_with_a_fault_are_refused_with_a_pointer(client, changes, pointer):
    answer = await client.put(HOURS_URL, json=HOURS | changes)
    assert answer.status_code == 422
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert (await client.get(HOURS_URL)).json()["applies"] == "none"


async def test_concurrency_is_one_of_a_queues_settings(client, whole):
    saved = await client.put("/api/v1/queues/care-chat", json={"concurrency": 2.5})
    assert saved.json()["concurrency"] == 2.5
    assert (await whole.store.queues.targets())["care-chat"] == QueueTargets(concurrency=2.5)
    assert (await client.put("/api/v1/queues/care-chat", json={"concurrency": 0.5})).status_code == 422
    planned = await whole.services.staffings.staffing("care-chat", NOW, 5, 10)
    assert planned.agents.tolist() == [25] * 5
