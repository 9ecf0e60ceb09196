from app.commands.output import print_table


def test_a_table_that_is_piped_cuts_nothing_off_and_has_a_line_for_each_row(capsys):
    at = "2026-11-21T15:04:05.123Z"
    print_table(("Id", "Name", "Made", "Expires", "Revoked"), [("ab12cd34", "n" * 60, at, at, None)])
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "ab12cd34" in line]
    assert line.count(at) == 2
    assert "n" * 60 in line
