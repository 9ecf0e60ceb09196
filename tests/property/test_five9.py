"""Whatever Five9 may answer is read or refused, and never anything else."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from app.core.floor import observation
from app.core.floor.observation import Observation
from tests.support.vendors.five9 import envelope, table_of
from workers.sources.five9.soap import read
from workers.sources.five9.translate import COLUMNS, translate
from workers.systems.faults import SourceFault

AT = datetime(2026, 11, 21, 17, 20, 5, tzinfo=UTC)

texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=6)
values = texts | st.integers(-2, 10**12).map(str) | st.sampled_from(["Orders", "", "1.5"])
rows = st.lists(st.lists(values, min_size=6, max_size=6) | st.lists(values, max_size=8), max_size=3)
columns = st.permutations(COLUMNS) | st.lists(texts, max_size=3)
tables = st.builds(table_of, columns, rows, st.integers(-(10**15), 10**15) | texts.filter(str.isalnum))
tags = st.sampled_from(
    ["<return>", "</return>", "<rows>", "<values>", "<data>", "</data>", "</values>", "</rows>", "x"]
)


@given(tables | st.binary(max_size=60) | st.lists(tags, max_size=9).map("".join).map(envelope))
def test_any_answer_is_acceptable_observations_or_a_fault(body):
    try:
        lot = translate(read(body), {"Orders": "orders"}, "s", AT)
    except SourceFault:
        return
    for each in lot.payloads:
        assert isinstance(each, Observation)
        beyond = [
            problem
            for problem in observation.problems(each, AT)
            if "outside 0 to" not in problem.detail and "ahead of this server" not in problem.detail
        ]
        assert beyond == []
