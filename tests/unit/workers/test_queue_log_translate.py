from datetime import UTC, datetime, timedelta

import pytest

from app.core.floor.contact import ContactEvent, ContactEventKind, problems
from app.core.floor.observation import Observation
from workers.sources.queue_log.translate import HEARTBEAT_SECONDS, Translator

T0 = 1_700_000_010  # a multiple of 30


def at(seconds):
    return datetime.fromtimestamp(T0 + seconds, UTC)


def read(text, **options):
    """Return the translator and all it said of lines written as `seconds|callid|queue|agent|EVENT|...`."""
    translator = Translator(**{"heartbeat_seconds": None, **options})
    said = []
    for line in text.strip().splitlines():
        seconds, rest = line.strip().split("|", 1)
        said += translator.line(f"{T0 + int(seconds)}|{rest}")
    return translator, said


def story(said):
    """Return contact events as (seconds, id, event, reason)."""
    return [
        (int((event.at - at(0)).total_seconds()), event.contact_id, str(event.event), event.reason)
        for event in said
        if isinstance(event, ContactEvent)
    ]


def test_a_call_is_queued_answered_and_completed():
    _, said = read(
        """
        0|77.1|sales|NONE|ENTERQUEUE||5550100|1
        12|77.1|sales|SIP/7|CONNECT|12|77.2|3
        100|77.1|sales|SIP/7|COMPLETECALLER|12|88|1
        """
    )
    assert said == [
        ContactEvent(f"77.1/sales/{T0}", "sales", ContactEventKind.QUEUED, at(0), "queue_log", "voice"),
        ContactEvent(f"77.1/sales/{T0}", "sales", ContactEventKind.ANSWERED, at(12), "queue_log", "voice", "SIP/7"),
        ContactEvent(
            f"77.1/sales/{T0}",
            "sales",
            ContactEventKind.COMPLETED,
            at(100),
            "queue_log",
            "voice",
            "SIP/7",
            None,
            "caller_hung_up",
        ),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("NONE|ABANDON|1|1|9", None),
        ("NONE|ABANDON", None),
        ("NONE|EXITWITHTIMEOUT|1|1|9", "exit_with_timeout"),
        ("NONE|EXITWITHTIMEOUT|1", "exit_with_timeout"),
        ("NONE|EXITEMPTY|1|1|9", "exit_empty"),
        ("NONE|WITHDRAW|1|1|9|moved by 5550100", "withdrawn"),
        ("SIP/7|SYSCOMPAT|", "channels_not_compatible"),
    ],
)
def test_a_wait_that_the_center_let_end_unanswered_is_an_abandonment_with_its_reason(line, reason):
    _, said = read(f"0|77.1|sales|NONE|ENTERQUEUE||5550100|1\n9|77.1|sales|{line}")
    assert story(said)[1:] == [(9, f"77.1/sales/{T0}", "abandoned", reason)]


def test_a_customer_who_presses_a_key_leaves_the_queue_without_having_given_up():
    _, said = read("0|77.1|sales|NONE|ENTERQUEUE||5550100|1\n9|77.1|sales|NONE|EXITWITHKEY|2|1|1|9")
    assert story(said)[1:] == [(9, f"77.1/sales/{T0}", "transferred", "exit_with_key")]


@pytest.mark.parametrize(
    ("line", "event", "reason"),
    [
        ("COMPLETEAGENT|1|19|1", "completed", "agent_hung_up"),
        ("COMPLETECALLER|1|19", "completed", "caller_hung_up"),
        ("BLINDTRANSFER|200|default|1|19|1", "transferred", "blind_transfer"),
        ("ATTENDEDTRANSFER|BRIDGE|8a9b|1|19|1", "transferred", "attended_transfer"),
        ("ATTENDEDTRANSFER|LINK|SIP/1|SIP/2|1|19|1", "transferred", "attended_transfer"),
        ("TRANSFER|200|default|1|19|1", "transferred", "transfer"),
    ],
)
def test_every_end_of_a_talk_whatever_its_arity(line, event, reason):
    _, said = read(f"0|7.1|sales|NONE|ENTERQUEUE||x|1\n1|7.1|sales|SIP/7|CONNECT|1\n20|7.1|sales|SIP/7|{line}")
    assert story(said)[2:] == [(20, f"7.1/sales/{T0}", event, reason)]


def test_short_rows_of_the_1_4_era_are_understood():
    translator, said = read(
        "0|7.1|sales|NONE|ENTERQUEUE|\n5|7.1|sales|Agent/1|CONNECT|5\n9|7.1|sales|Agent/1|COMPLETEAGENT|5|4"
    )
    assert [event for _, _, event, _ in story(said)] == ["queued", "answered", "completed"]
    assert translator.tally.malformed == 0


def test_one_call_in_several_queues_and_twice_in_one_is_as_many_contacts():
    _, said = read(
        """
        0|7.1|sales|NONE|ENTERQUEUE||x|1
        30|7.1|sales|NONE|EXITWITHTIMEOUT|1|1|30
        30|7.1|billing|NONE|ENTERQUEUE||x|1
        60|7.1|billing|NONE|EXITEMPTY|1|1|30
        60|7.1|sales|NONE|ENTERQUEUE||x|1
        60|7.1|sales|NONE|EXITEMPTY|1|1|0
        60|7.1|sales|NONE|ENTERQUEUE||x|1
        70|7.1|sales|A|CONNECT|10|7.2|1
        """
    )
    queued = [contact_id for _, contact_id, event, _ in story(said) if event == "queued"]
    assert queued == [f"7.1/sales/{T0}", f"7.1/billing/{T0 + 30}", f"7.1/sales/{T0 + 60}", f"7.1/sales/{T0 + 60}.2"]
    assert story(said)[-1] == (70, f"7.1/sales/{T0 + 60}.2", "answered", None)


def test_a_repeated_line_says_nothing_new():
    translator, said = read(
        "0|7.1|s|NONE|ENTERQUEUE||x|1\n0|7.1|s|NONE|ENTERQUEUE||x|1\n5|7.1|s|A|CONNECT|5\n5|7.1|s|A|CONNECT|5"
    )
    assert len(said) == 2
    assert translator.tally.skipped == {"ENTERQUEUE repeated": 1, "CONNECT repeated": 1}


def test_a_call_that_enters_again_without_having_left_is_closed_first():
    _, said = read("0|7.1|s|NONE|ENTERQUEUE||x|1\n50|7.1|s|NONE|ENTERQUEUE||x|1")
    assert story(said) == [
        (0, f"7.1/s/{T0}", "queued", None),
        (50, f"7.1/s/{T0}", "abandoned", "entered_again"),
        (50, f"7.1/s/{T0 + 50}", "queued", None),
    ]


def test_lines_of_a_stay_that_began_before_the_file_are_counted_and_left_out():
    translator, said = read("0|7.1|s|A|CONNECT|5\n9|7.1|s|A|COMPLETEAGENT|5|9|1")
    assert said == []
    assert translator.tally.skipped == {"CONNECT without ENTERQUEUE": 1, "COMPLETEAGENT without ENTERQUEUE": 1}


def test_a_restart_of_asterisk_ends_every_open_stay_at_the_last_sign_of_life():
    _, said = read(
        """
        0|7.1|s|NONE|ENTERQUEUE||x|1
        1|7.2|s|NONE|ENTERQUEUE||x|2
        4|7.1|s|A|CONNECT|4
        90|NONE|NONE|NONE|QUEUESTART|
        """
    )
    assert sorted(story(said)[3:]) == [
        (4, f"7.1/s/{T0}", "completed", "queue_start"),
        (4, f"7.2/s/{T0 + 1}", "abandoned", "queue_start"),
    ]


def test_a_clock_set_back_does_not_make_a_wait_negative():
    _, said = read("10|7.1|s|NONE|ENTERQUEUE||x|1\n8|7.1|s|A|CONNECT|0")
    assert [seconds for seconds, *_ in story(said)] == [10, 10]


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("7.1|NONE|NONE|DID|5550100", "DID"),
        ("7.1|sales|SIP/7|RINGNOANSWER|15000", "RINGNOANSWER"),
        ("7.1|sales|SIP/7|RINGCANCELED|300", "RINGCANCELED"),
        ("7.1|sales|SIP/7|AGENTDUMP|", "AGENTDUMP"),
        ("NONE|sales|SIP/7|PENALTY|3", "PENALTY"),
        ("NONE|NONE|NONE|CONFIGRELOAD|", "CONFIGRELOAD"),
        ("7.1|sales|NONE|FULL", "FULL"),
        ("NONE|sales|NONE|ENTERQUEUE||x|1", "ENTERQUEUE without a call"),
        ("MANAGER|sales|NONE|ABANDON|1|1|1", "ABANDON without a call"),
    ],
)
def test_what_says_nothing_about_the_floor_is_skipped_and_counted_by_name(line, kind):
    translator, said = read(f"0|{line}")
    assert said == []
    assert translator.tally.skipped == {kind: 1}


def test_agentdump_leaves_the_customer_waiting():
    _, said = read("0|7.1|s|NONE|ENTERQUEUE||x|1\n9|7.1|s|A|AGENTDUMP|\n20|7.1|s|B|CONNECT|20")
    assert [event for _, _, event, _ in story(said)] == ["queued", "answered"]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", "has 1 fields"),
        ("1700000000|7.1|sales|NONE", "has 4 fields"),
        ("yesterday|7.1|sales|NONE|ABANDON", "first field"),
        ("0|7.1|sales|NONE|ABANDON", "first field"),
        ("9999999999999|7.1|sales|NONE|ABANDON", "first field"),
        ("1700000000|7.1|sales|NONE|", "fifth field"),
        ("1700000000|7.1|sales|NONE|<script>", "fifth field"),
        ("1700000000||sales|NONE|ABANDON", "call, queue or agent"),
        ("1700000000|7.1|sa\x07les|NONE|ABANDON", "call, queue or agent"),
        (f"1700000000|7.1|{'q' * 129}|NONE|ABANDON", "call, queue or agent"),
    ],
)
def test_a_malformed_line_is_counted_with_its_number_and_reason(line, reason):
    translator = Translator()
    translator.line("1700000000|NONE|NONE|NONE|CONFIGRELOAD|")
    assert translator.line(line) == []
    assert translator.tally.malformed == 1
    (fault,) = translator.tally.faults
    assert fault.line == 2
    assert reason in fault.reason


def test_a_single_damaged_time_far_ahead_does_not_move_what_follows():
    far = 40 * 86400
    translator, said = read(
        f"0|7.1|s|NONE|ENTERQUEUE||x|1\n{far}|7.2|s|NONE|ENTERQUEUE||x|1\n9|7.1|s|NONE|ABANDON|1|1|9"
    )
    assert [event for _, _, event, _ in story(said)] == ["queued", "abandoned"]
    assert [fault.line for fault in translator.tally.faults] == [2]


def test_after_weeks_of_silence_lines_are_believed_once_a_second_one_agrees():
    far = 40 * 86400
    text = f"0|7.1|s|NONE|ENTERQUEUE||x|1\n{far}|7.2|s|NONE|ENTERQUEUE||x|1\n{far + 9}|7.2|s|NONE|ABANDON|1|1|9"
    translator, said = read(text)
    assert [event for _, _, event, _ in story(said)] == ["queued", "queued", "abandoned"]
    assert translator.tally.malformed == 0


def test_a_last_line_far_ahead_that_nothing_confirms_is_counted():
    translator, said = read(f"0|7.1|s|NONE|ENTERQUEUE||x|1\n{40 * 86400}|7.2|s|NONE|ENTERQUEUE||x|1")
    translator.end()
    assert len(said) == 1
    assert [fault.line for fault in translator.tally.faults] == [2]


def test_callers_never_leave_the_translation():
    text = """
        0|7.1|sales|NONE|ENTERQUEUE|http://crm/5550100|5550100|1|Jane Doe
        3|7.1|sales|Local/+15550100@out.example.com|CONNECT|3|7.2|1
        9|7.1|sales|Local/+15550100@out.example.com|BLINDTRANSFER|5550100|default|3|6|1
        12|7.3|tel:+15550100|NONE|ENTERQUEUE||5550100|1
        """
    _, said = read(text)
    assert len(said) == 4
    for event in said:
        assert problems(event, event.at) == ()
        assert "5550100" not in f"{event.contact_id}{event.agent}{event.reason}"
        assert "Jane" not in repr(event)


def test_only_the_queues_asked_for_are_kept():
    translator, said = read(
        "0|7.1|orders-voice|NONE|ENTERQUEUE||x|1\n0|7.2|hr|NONE|ENTERQUEUE||x|1", queues=["orders-*"]
    )
    assert [event.queue for event in said] == ["orders-voice"]
    assert translator.tally.skipped == {"other queue": 1}


def staffing(translator, seconds, queue="s"):
    found = [one for one in translator.observe(at(seconds)) if one.queue == queue]
    return (found[0].agents_staffed, found[0].agents_busy, found[0].agents_available) if found else None


def test_agents_join_take_calls_pause_and_leave():
    translator, _ = read(
        """
        0|MANAGER|s|A|ADDMEMBER|
        0|REALTIME|s|B|ADDMEMBER|PAUSED
        0|CLI|s|C|ADDMEMBER|
        1|7.1|s|NONE|ENTERQUEUE||x|1
        2|7.1|s|A|CONNECT|1
        """
    )
    assert staffing(translator, 3) == (2, 1, 1)  # B is on a break
    for line, expected in [
        ("4|NONE|s|B|UNPAUSE|", (3, 1, 2)),
        ("5|NONE|NONE|C|PAUSEALL|lunch", (2, 1, 1)),
        ("6|NONE|s|A|PAUSE|", (2, 1, 1)),  # still on the call
        ("7|7.1|s|A|COMPLETEAGENT|1|5|1", (1, 0, 1)),
        ("8|NONE|NONE|A|UNPAUSEALL|", (2, 0, 2)),
        ("9|7.9|s|B|REMOVEMEMBER|", (1, 0, 1)),
        ("9|NONE|NONE|A|AGENTLOGOFF|SIP/1|900", (0, 0, 0)),
    ]:
        seconds, rest = line.split("|", 1)
        translator.line(f"{T0 + int(seconds)}|{rest}")
        assert staffing(translator, 10) == expected, line


def test_an_agent_on_a_call_of_one_queue_is_busy_in_all_of_theirs():
    translator, _ = read(
        "0|CLI|s|A|ADDMEMBER|\n0|CLI|t|A|ADDMEMBER|\n1|7.1|t|NONE|ENTERQUEUE||x|1\n2|7.1|t|A|CONNECT|1"
    )
    assert staffing(translator, 3, "s") == (1, 1, 0)
    assert staffing(translator, 3, "t") == (1, 1, 0)


def test_an_agent_known_only_from_calls_counts_for_twenty_minutes_after_the_last():
    translator, _ = read("0|7.1|s|NONE|ENTERQUEUE||x|1\n2|7.1|s|A|CONNECT|2\n60|7.1|s|A|COMPLETEAGENT|2|58|1")
    assert staffing(translator, 61) == (1, 0, 1)
    assert staffing(translator, 60 + 1200) == (1, 0, 1)
    assert staffing(translator, 60 + 1201) == (0, 0, 0)


def test_after_a_sign_in_no_silence_makes_an_agent_leave():
    translator, _ = read(
        "0|5.1|NONE|A|AGENTLOGIN|SIP/1\n0|7.1|s|NONE|ENTERQUEUE||x|1\n2|7.1|s|A|CONNECT|2\n9|7.1|s|A|COMPLETEAGENT|2|7|1"
    )
    assert staffing(translator, 7200) == (1, 0, 1)


def test_a_queue_whose_agents_the_log_never_names_reports_none_rather_than_zero():
    translator, _ = read("0|7.1|s|NONE|ENTERQUEUE||x|1")
    (observation,) = translator.observe(at(5))
    assert (observation.agents_staffed, observation.agents_busy, observation.agents_available) == (None, None, None)
    assert observation.contacts_in_progress == 0


def test_after_a_restart_members_fade_unless_they_are_seen_again():
    translator, _ = read("0|CLI|s|A|ADDMEMBER|\n60|NONE|NONE|NONE|QUEUESTART|")
    assert staffing(translator, 61) == (1, 0, 1)
    assert staffing(translator, 60 + 1201) == (0, 0, 0)


def test_heartbeats_come_every_thirty_seconds_of_the_logs_own_time_through_quiet_hours():
    _, said = read(
        "0|CLI|s|A|ADDMEMBER|\n5|7.1|s|NONE|ENTERQUEUE||x|1\n7205|7.1|s|NONE|ABANDON|1|1|9",
        heartbeat_seconds=HEARTBEAT_SECONDS,
    )
    beats = [one for one in said if isinstance(one, Observation)]
    assert [one.observed_at for one in beats] == [at(seconds) for seconds in range(0, 7205, 30)]
    assert {(one.agents_staffed, one.source) for one in beats} == {(1, "queue_log")}


def test_heartbeats_end_after_seven_days_of_silence():
    weeks = 15 * 86400
    _, said = read(
        f"0|CLI|s|A|ADDMEMBER|\n{weeks}|7.1|s|NONE|ENTERQUEUE||x|1\n{weeks}|7.1|s|NONE|ABANDON|1|1|0",
        heartbeat_seconds=HEARTBEAT_SECONDS,
    )
    last = max(one.observed_at for one in said if isinstance(one, Observation))
    assert last < at(0) + timedelta(days=7)


def test_a_queue_nobody_speaks_of_any_more_is_no_longer_observed():
    translator, _ = read("0|7.1|s|NONE|ENTERQUEUE||x|1\n5|7.1|s|NONE|ABANDON|1|1|5")
    assert translator.observe(at(6 * 86400))
    assert translator.observe(at(8 * 86400)) == []


def test_stays_without_an_end_are_given_up_after_hours():
    translator, _ = read("0|7.1|s|NONE|ENTERQUEUE||x|1\n1|7.1|s|A|CONNECT|1\n20000|7.2|s|NONE|ENTERQUEUE||x|1")
    (observation,) = translator.observe(at(20000))
    assert observation.contacts_in_progress == 0
    assert translator.tally.skipped == {"stay without an end": 1}
