"""The drawn state machines are the ones that the code steps by."""

import pytest

from scripts.draw_state_machines import DRAWN, PAGE, drawing, drawn


def test_the_drawings_are_those_of_the_tables():
    page = PAGE.read_text(encoding="utf-8")
    assert drawn(page) == page, "run make docs"


@pytest.mark.parametrize("name", DRAWN)
def test_every_row_of_a_table_is_an_arrow(name):
    lines = drawing(DRAWN[name]).splitlines()
    for (state, what), to in DRAWN[name].items():
        (arrow,) = [line for line in lines if line.strip().startswith(f"{state.value} --> {to.value}:")]
        assert what.value in arrow.partition(": ")[2].split(", ")


def test_a_page_without_a_place_for_a_drawing_is_refused():
    with pytest.raises(ValueError, match="has no place for"):
        drawn("# State machines\n")
