import pytest

from app.errors import Invalid
from tests.support.tools import ACME, LISTMONK, TOOLS
from workers.senders.registry import SENDERS, configured

URL = "https://tool.example"


def refused(table):
    with pytest.raises(Invalid) as fault:
        configured([table])
    return str(fault.value)


def a_table(tool=LISTMONK, **members):
    return {"type": tool.kind, "url": URL} | tool.table | members


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.kind)
def test_each_tool_is_configured_by_its_table(tool):
    (one,) = configured([a_table(tool, name="ours", look_seconds=2)]).values()
    assert (one.name, one.kind, one.look_seconds) == ("ours", tool.kind, 2)
    assert one.make().abilities.can_pause is (tool.pause is not None)


def test_every_tool_of_the_registry_is_tried_here():
    assert {tool.kind for tool in TOOLS} == set(SENDERS)


def test_a_name_belongs_to_one_sender():
    with pytest.raises(Invalid, match=r"senders\[1\].name: 'listmonk' is the name of another sender"):
        configured([a_table(), a_table()])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"type": "sendmail"}, "senders[0].type: 'sendmail' is not known; known are dittofeed, http, keila"),
        ({"url": "news"}, "senders[0].url: is not a URL"),
        ({"url": "https://me:secret@news.example"}, "holds a user or a password"),
        ({"messages_per_second": 0}, "senders[0].messages_per_second: 0 is not allowed"),
        ({"passwort": "x"}, "senders[0].passwort: is not known"),
        ({"look_seconds": 60}, "senders[0].look_seconds: 60 is not allowed"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(members, said):
    assert said in refused(a_table(**members))


def test_a_tool_that_can_be_paused_must_say_how_fast_it_is():
    table = a_table()
    del table["messages_per_second"]
    assert "senders[0].messages_per_second: is missing" in refused(table)


def test_no_error_shows_a_secret():
    assert "canary" not in refused(a_table(messages_per_second=-1))


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"start": {"path": "jobs/{campaign}"}}, "start.path"),
        ({"start": {"path": "/jobs/{campaign}/{user}"}}, "only {campaign} can be filled in"),
        ({"start": {"path": "//elsewhere.example/{campaign}"}}, "must begin with one /"),
        ({"start": {"path": "/../{campaign}"}}, "must not lead upwards"),
        ({"start": {"path": "/a", "method": "GET"}}, "start.method: 'GET' is not known"),
        ({"start": {"path": "/a", "json": "{"}}, "start.json: is not JSON"),
        ({"start": {"path": "/a", "json": "[1]"}}, "start.json: is no JSON object"),
        ({"status": ACME.table["status"] | {"state": "job."}}, "status.state: 'job.' is not JMESPath"),
        ({"states": {"live": "sending"}}, "states.live: 'sending' is not known"),
        ({"states": {"new": "ready"}}, "states: has no word for running"),
    ],
)
def test_what_is_wrong_in_a_template_is_named(members, said):
    assert said in refused(a_table(ACME, **members))


def test_a_template_without_pause_cannot_pause_and_needs_no_speed():
    table = a_table(ACME)
    del table["pause"], table["messages_per_second"]
    (one,) = configured([table]).values()
    assert not one.make().abilities.can_pause
