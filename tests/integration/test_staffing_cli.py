"""`holdfire staffing import`: a file becomes a schedule, or every bad line a sentence."""

import json

from tests.support.server import run_cli

FILE = (
    "Date,Interval,Skill,Net\n2026-11-23,08:00,orders,12.5\n2026-11-23,08:30,orders,12\n"
    "2026-11-23,08:00,chat,3\n2026-11-23,08:30,chat,3\n"
)


def import_(folder, text, *options):
    (folder / "staffing.csv").write_text(text, encoding="utf-8")
    done = run_cli("staffing", "import", str(folder / "staffing.csv"), *options, HOLDFIRE_DATA_DIR=str(folder))
    assert "Traceback" not in done.stderr
    return done


def test_a_file_is_imported_for_one_queue_or_for_all_it_names(tmp_path):
    mapped = ("--map", "agents=Net", "--time-zone", "Europe/Berlin")
    one = import_(tmp_path, FILE, "--queue", "orders", "--json", *mapped)
    assert one.returncode == 0, one.stderr
    (change,) = json.loads(one.stdout)
    assert (change["queue"], change["saved"], change["understood"]["columns"]["agents"]) == ("orders", True, "Net")
    every = import_(tmp_path, FILE, *mapped)
    assert every.returncode == 0, every.stderr
    assert "as before" in every.stdout
    assert "changed" in every.stdout
    again = import_(tmp_path, FILE, *mapped)
    assert "nothing was changed" in again.stdout


def test_faults_of_the_file_end_with_1_and_name_their_lines(tmp_path):
    bad = import_(tmp_path, FILE + "2026-11-23,09:00,chat,-3\n", "--map", "agents=Net", "--time-zone", "UTC")
    assert bad.returncode == 1
    assert 'line 6: "-3" is negative' in bad.stderr
    unmapped = import_(tmp_path, FILE, "--queue", "orders")
    assert unmapped.returncode == 1
    assert "no column has the agents" in unmapped.stderr


def test_wrong_options_end_with_2(tmp_path):
    zone = import_(tmp_path, FILE, "--time-zone", "Mars")
    assert (zone.returncode, "--time-zone" in zone.stderr) == (2, True)
    role = import_(tmp_path, FILE, "--map", "people=Net")
    assert (role.returncode, "--map=people=Net" in role.stderr) == (2, True)
