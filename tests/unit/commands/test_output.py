import pytest

from app.commands.output import print_table


def test_a_table_that_is_piped_cuts_nothing_off_and_has_a_line_for_each_row(capsys):
    at = "2026-11-21T15:04:05.123Z"
    print_table(("Id", "Name", "Made", "Expires", "Revoked"), [("ab12cd34", "n" * 60, at, at, None)])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "ab12cd34" in line]
    assert line.count(at) == 2
    assert "n" * 60 in line


@pytest.mark.parametrize("name", ["[bold]sales[/bold]", "[/foo]", "[red]", "12:30 [a]"])
def test_names_are_shown_as_they_are_whatever_brackets_they_have(capsys, name):
    print_table([name], [(name,)], title=name)
    assert capsys.readouterr().out.count(name) == 3


def test_a_name_cannot_speak_to_the_terminal(capsys):
    print_table(["queue"], [("\x1b[31mred",)], title="\x1b]0;title\x07")
    said = capsys.readouterr().out
    assert not {"\x1b", "\x07"} & set(said)
    assert "[31mred" in said
