"""Reading the question out of a query string: a question misunderstood must never become a go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.api.readiness import parse_question
from app.errors import Invalid
from app.services.asks import Question


def test_every_parameter_is_read():
    query = b"gate=orders&audience=500000&campaign=spring%20sale&accept_partial=true"
    assert parse_question(query) == Question("orders", 500_000, "spring sale", True)


def test_an_empty_query_asks_about_the_default_gate():
    assert parse_question(b"") == Question("default", None, None, False)


@pytest.mark.parametrize(
    ("query", "pointer", "said"),
    [
        (b"audiance=5", "/audiance", "known are accept_partial, audience, campaign, gate"),
        (b"audience=5&audience=6", "/audience", "twice"),
        (b"audience=0", "/audience", "1 to 1,000,000,000"),
        (b"audience=-1", "/audience", "digits only"),
        (b"audience=1e5", "/audience", "digits only"),
        (b"audience=500,000", "/audience", "digits only"),
        (b"audience=%D9%A3", "/audience", "digits only"),
        (b"audience=", "/audience", "digits only"),
        (b"audience=99999999999", "/audience", "1 to 1,000,000,000"),
        (b"gate=", "/gate", "1 to 128"),
        (b"gate=a%00b", "/gate", "printable"),
        (b"accept_partial=yes", "/accept_partial", "true or false"),
        (b"api_key=hf_live_x", "/api_key", "unknown parameter"),
    ],
)
def test_what_cannot_be_understood_is_refused_by_name(query, pointer, said):
    with pytest.raises(Invalid) as refused:
        parse_question(query)
    assert refused.value.problems[0].pointer == pointer
    assert said in refused.value.problems[0].detail


@given(st.binary(max_size=200))
def test_any_bytes_are_a_question_or_refused(query):
    try:
        question = parse_question(query)
    except Invalid:
        return
    assert question.audience is None or question.audience >= 1
