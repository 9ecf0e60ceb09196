"""Whatever a tool answers: how a campaign stands, or that it was not understood. Never anything else."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.sending.standing import Standing
from tests.support.tools import ACME
from workers.senders.dittofeed import translate as dittofeed
from workers.senders.http_template import translate as http_template
from workers.senders.keila import translate as keila
from workers.senders.listmonk import translate as listmonk
from workers.senders.mailman import translate as mailman
from workers.senders.speaking import NotUnderstood

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
ANYTHING = st.recursive(SCALARS, lambda each: st.lists(each, max_size=3) | st.dictionaries(st.text(max_size=3), each))
WORDS = st.sampled_from(["draft", "running", "Draft", "Running", "V2", "live", "12", "a"]) | ANYTHING
NAMES = ("id", "status", "to_send", "sent", "rate", "sent_at", "scheduled_for", "version", "config", "count")
OBJECTS = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, WORDS)) | ANYTHING
DOCUMENTS = st.fixed_dictionaries({}, optional={"data": OBJECTS | st.lists(OBJECTS, max_size=2)}) | ANYTHING
READING: Any = ACME.sender("http://127.0.0.1:1")._reading  # type: ignore[attr-defined]


def nonsense(translate, *given_) -> object:
    """Return what a translation gives where that is neither a standing that can be, nor a number, nor a refusal."""
    try:
        found = translate(*given_)
    except NotUnderstood:
        return None
    if not isinstance(found, Standing):
        return None if found is None or isinstance(found, float | int) else found
    return found if (found.sent or 0) < 0 or (found.target or 0) < 0 else None


@settings(max_examples=40)
@given(DOCUMENTS)
def test_listmonk(document):
    assert nonsense(listmonk.standing_of, document, "12") is None
    assert nonsense(listmonk.rate_of, document, "12") is None


@settings(max_examples=40)
@given(DOCUMENTS)
def test_keila(document):
    assert nonsense(keila.standing_of, document) is None


@settings(max_examples=40)
@given(st.lists(OBJECTS, max_size=2) | ANYTHING, OBJECTS)
def test_dittofeed(broadcasts, deliveries):
    assert nonsense(dittofeed.standing_of, broadcasts, deliveries, "a") is None


@settings(max_examples=40)
@given(OBJECTS, st.text(max_size=20))
def test_mailman(document, campaign):
    assert nonsense(mailman.members_of, document) is None
    assert nonsense(mailman.check_held, document, "12") is None
    assert nonsense(lambda: mailman.list_and_request(campaign) and None) is None


@settings(max_examples=40)
@given(
    st.fixed_dictionaries({"job": st.fixed_dictionaries({}, optional={"state": WORDS, "counts": OBJECTS})}) | ANYTHING
)
def test_a_tool_by_template(document):
    assert nonsense(http_template.standing_of, document, READING) is None


def test_listmonk_answers_for_the_campaign_by_its_own_name_only():
    document = {"data": {"id": 12, "status": "draft", "to_send": 0, "sent": 0}}
    assert listmonk.standing_of(document, "12").sent == 0
    with pytest.raises(NotUnderstood):
        listmonk.standing_of(document, "012")
