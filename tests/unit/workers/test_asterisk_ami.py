from datetime import UTC, datetime

import pytest

from app.errors import Invalid
from tests.unit.workers.test_registry import around
from workers.sources import registry
from workers.sources.asterisk_ami.agents import Agents
from workers.sources.asterisk_ami.client import Answer
from workers.sources.asterisk_ami.frames import LONGEST_LINE_BYTES, Framer, action
from workers.sources.asterisk_ami.held import Held
from workers.sources.asterisk_ami.translate import (
    Abandoned,
    Completed,
    Connected,
    Member,
    Summary,
    happened,
    stamped,
    told,
)
from workers.systems.faults import SourceFault, TranslateError

SUMMARY = (
    b"Event: QueueSummary\r\nQueue: sales\r\nLoggedIn: 6\r\nAvailable: 1\r\nCallers: 4\r\nHoldTime: 38\r\n"
    b"TalkTime: 171\r\nLongestHoldTime: 92\r\n\r\n"
)
CALL = {"queue": "sales", "uniqueid": "1795334400.1", "timestamp": "1795334405.250000"}
SEAT = {"interface": "PJSIP/1", "membername": "Ann"}


@pytest.fixture
def now():
    return datetime.fromtimestamp(1795334410, UTC)


# --- frames ---


def test_frames_end_at_a_blank_line_whichever_line_ends_are_used():
    framer = Framer()
    messages = framer.feed(b"Asterisk Call Manager/13.0.0\r\nEvent: A\r\nQueue: x\r\n\r\nEvent: B\nqueue:y\n\n\r\n\n")
    assert framer.banner == "Asterisk Call Manager/13.0.0"
    assert messages == [{"event": "A", "queue": "x"}, {"event": "B", "queue": "y"}]


def test_a_character_split_over_two_packets_comes_out_whole():
    data = "Event: A\r\nMemberName: Zoë\r\n\r\n".encode()
    framer, cut = Framer(), data.index("ë".encode()) + 1
    assert framer.feed(data[:cut]) == []
    assert framer.feed(data[cut:]) == [{"event": "A", "membername": "Zoë"}]


def test_headers_that_nobody_needs_are_not_kept_so_no_caller_is_named():
    frame = (
        b"Event: A\r\nCallerIDNum: 5550142\r\nCallerIDName: Bird\r\nChannel: SIP/5550142-1\r\nExten: 5550142\r\n\r\n"
    )
    assert Framer().feed(frame) == [{"event": "A"}]


def test_a_line_without_an_end_is_cut_and_what_follows_it_is_read():
    framer = Framer()
    assert framer.feed(b"Event: A\r\nQueue: " + b"x" * 3 * LONGEST_LINE_BYTES) == []
    (message,) = framer.feed(b"\r\n\r\n")
    assert len(message["queue"]) == LONGEST_LINE_BYTES - len("Queue: ")
    assert framer.feed(SUMMARY)[0]["callers"] == "4"


def test_an_action_cannot_be_given_a_further_header_by_a_value():
    assert action("Login", Secret="a\r\nAction: Originate") == b"Action: Login\r\nSecret: aAction: Originate\r\n\r\n"


# --- translation ---


def test_a_summary_gives_callers_and_members_and_none_of_its_averages():
    (message,) = Framer().feed(SUMMARY)
    assert told(message) == Summary("sales", callers=4, logged_in=6)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            {"event": "QueueCallerAbandon", **CALL, "holdtime": "31"},
            Abandoned("sales", "1795334400.1", 1795334405.25, 31),
        ),
        (
            {"event": "AgentConnect", **CALL, **SEAT, "holdtime": "5"},
            Connected("sales", "1795334400.1", 1795334405.25, 5, "PJSIP/1", "Ann"),
        ),
        (
            {"event": "AgentComplete", **CALL, **SEAT, "holdtime": "5", "talktime": "60", "reason": "agent"},
            Completed("sales", "1795334400.1", 1795334405.25, 5, 60, "PJSIP/1", "Ann", "agent"),
        ),
        (
            {"event": "QueueMemberStatus", "queue": "sales", **SEAT, "status": "2", "paused": "0", "incall": "1"},
            Member("sales", "PJSIP/1", "Ann", 2, paused=False, in_call=True),
        ),
        ({"event": "QueueMemberPaused", "queue": "sales", "location": "PJSIP/1", "paused": "1"},
         Member("sales", "PJSIP/1", "PJSIP/1", paused=True)),
        ({"event": "AgentRingNoAnswer", **CALL, **SEAT}, None),
        ({"event": "AgentDump", **CALL, **SEAT}, None),
        ({"event": "Newexten"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_an_event_becomes_what_it_tells(message, expected):
    assert happened(message) == expected


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ({"event": "QueueEntry", **CALL, "wait": "-4"}, "wait of QueueEntry is not a whole number"),
        ({"event": "QueueEntry", **CALL, "wait": "99999999"}, "wait of QueueEntry is longer than seven days"),
        ({"event": "QueueEntry", "uniqueid": "1.2", "wait": "3"}, "queue of QueueEntry is absent, longer than 128"),
        ({"event": "QueueSummary", "queue": "sales", "callers": "+15550142"}, "callers of QueueSummary is not a whole"),
        ({"event": "QueueMember", "queue": "sales"}, "interface of QueueMember is absent"),
    ],
)
def test_what_makes_no_sense_is_refused_without_being_quoted(message, fault):
    with pytest.raises(TranslateError, match=fault) as refused:
        told(message)
    assert "15550142" not in str(refused.value)


@pytest.mark.parametrize("text", ["", "yesterday", "1e9", "nan", "9999999999999", "12", "-1795334405"])
def test_a_stamp_that_is_no_time_of_a_telephone_system_is_none(text):
    assert stamped({"timestamp": text}) is None


# --- what is held ---


def test_a_queue_of_which_a_row_makes_no_sense_is_not_observed_and_the_others_are(now):
    held = Held("pbx")
    held.begin()
    rows = [
        {"event": "QueueParams", "queue": "sales"},
        {"event": "QueueParams", "queue": "billing"},
        {"event": "QueueEntry", **CALL, "wait": "soon"},
    ]
    held.listed(rows, now.timestamp())
    assert [observation.queue for observation in held.observe(now)] == ["billing"]
    assert held.doubted == ["sales"]
    assert held.tally.malformed == 1


def test_nothing_is_observed_before_the_first_list_of_a_session(now):
    held = Held("pbx")
    held.begin()
    held.listed([{"event": "QueueParams", "queue": "sales"}], now.timestamp())
    held.begin()
    assert held.observe(now) == []


def test_an_asterisk_that_does_not_list_who_is_in_a_call_does_not_end_its_talks():
    agents = Agents()
    agents.learn(Member("sales", "PJSIP/1", "Ann", 0))
    agents.take("sales", "PJSIP/1", "Ann")
    agents.replace(["sales"], [Member("sales", "PJSIP/1", "Ann", 0)], frozenset())
    assert agents.talks("sales").keys() == {"PJSIP/1"}


def test_a_caller_who_came_while_the_list_was_made_is_not_missed_from_it(now):
    held = Held("pbx")
    held.begin()
    held.asking()
    held.event({"event": "QueueCallerJoin", **CALL}, now)
    held.listed([{"event": "QueueParams", "queue": "sales"}], now.timestamp())
    assert held.heard_until(now.timestamp() + 60) == []
    assert held.observe(now)[0].backlog == 1


def test_who_just_abandoned_and_is_still_listed_does_not_come_again(now):
    held = Held("pbx")
    held.begin()
    at = now.timestamp()
    held.event({"event": "QueueCallerAbandon", **CALL, "timestamp": f"{at:.1f}", "holdtime": "9"}, now)
    held.asking()
    rows = [{"event": "QueueParams", "queue": "sales"}, {"event": "QueueEntry", **CALL, "wait": "9"}]
    assert held.listed(rows, at + 0.1) == []


def test_a_list_made_at_a_wrong_time_makes_no_caller_wait_under_a_name_that_is_over(now):
    held, at = Held("pbx"), now.timestamp()
    held.begin()
    rows = [{"event": "QueueParams", "queue": "sales"}, {"event": "QueueEntry", **CALL, "wait": "9"}]
    sent = [*held.listed(rows, at), *held.listed(rows, at - 20), *held.listed(rows, at)]
    begun = [event.contact_id for event in sent if event.event == "queued"]
    over = {event.contact_id for event in sent if event.event == "completed"}
    assert len(set(begun)) == len(begun) == 3
    assert begun[-1] not in over
    assert held.observe(now)[0].backlog == 1


# --- questions and configuration ---


def test_a_list_with_other_than_the_rows_it_counts_is_refused():
    rows = [{"response": "Success"}, {"event": "QueueSummary"}, {"event": "QueueSummaryComplete", "listitems": "2"}]
    with pytest.raises(SourceFault, match="other than the 2 rows"):
        Answer("QueueSummary", rows).listed()


def a_table(**keys):
    return {"type": "asterisk-ami", "host": "pbx.example", "username": "holdfire", "secret": "s3cr3t", **keys}


def test_a_table_becomes_a_worker_that_shows_its_secret_nowhere():
    worker = registry.configured([a_table()])["asterisk_ami"](around())
    assert "s3cr3t" not in str(vars(worker))
    assert "pbx.example" in str(vars(worker))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"host": ""}, r"sources\[0\].host: .* is not text"),
        ({"secret_file": "/nowhere"}, r"sources\[0\].secret_file: and secret are both there"),
        ({"auth": "kerberos"}, r"sources\[0\].auth: 'kerberos' is not known; known are md5, plain"),
        ({"tls": True, "ca_file": "/nowhere"}, r"sources\[0\].ca_file: /nowhere cannot be read"),
        ({"poll_seconds": 30, "silence_seconds": 20}, r"sources\[0\].silence_seconds: 20 is less than poll_seconds"),
        ({"colour": "red"}, r"sources\[0\].colour: is not known"),
    ],
)
def test_a_bad_table_is_refused_by_the_key_at_fault(keys, sentence):
    with pytest.raises(Invalid, match=sentence):
        registry.configured([a_table(**keys)])
