import os
import shutil

import pytest

from workers.sources.queue_log.client import CHUNK_BYTES, LONGEST_LINE_BYTES, Follower, predecessors


@pytest.fixture
def log(tmp_path):
    return tmp_path / "queue_log"


@pytest.fixture
def follower(log):
    follower = Follower(log)
    yield follower
    follower.close()


def append(path, text):
    with path.open("a") as file:
        file.write(text)


def everything(follower):
    lines = []
    while found := follower.read():
        lines += found
    return lines


def test_lines_come_once_each_and_only_when_whole(log, follower):
    append(log, "one\ntwo\nthr")
    assert everything(follower) == ["one", "two"]
    assert everything(follower) == []
    append(log, "ee\n")
    assert everything(follower) == ["three"]


def test_a_missing_file_says_so_until_it_is_there(log, follower):
    with pytest.raises(FileNotFoundError):
        follower.read()
    append(log, "one\n")
    assert everything(follower) == ["one"]


def test_a_folder_is_not_followed(tmp_path):
    with pytest.raises(OSError, match="not a regular file"):
        Follower(tmp_path).read()


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        Follower(tmp_path / "pipe").read()


def test_after_a_rename_the_old_file_is_read_until_the_new_one_holds_data(log, follower):
    append(log, "one\n")
    assert everything(follower) == ["one"]
    old = log.rename(log.with_name("queue_log.1"))
    append(old, "two\n")  # the writer has not reopened yet, and nothing stands under the path
    assert follower.read() == ["two"]
    with pytest.raises(FileNotFoundError):
        follower.read()
    log.touch()
    append(old, "three\nfou")
    assert everything(follower) == ["three"]
    append(old, "r")
    append(log, "five\n")
    assert follower.read() == []
    assert everything(follower) == ["four", "five"]


def test_a_file_cut_and_grown_again_beyond_the_old_place_is_read_from_its_beginning(log, follower):
    append(log, "100|one\n")
    assert everything(follower) == ["100|one"]
    log.write_text("")
    append(log, "200|a line longer than all there was before\n201|next\n")
    assert everything(follower) == ["200|a line longer than all there was before", "201|next"]


def test_what_was_written_between_the_last_look_and_copytruncate_is_found_in_the_copy(log, follower):
    append(log, "100|one\n101|tw")
    assert everything(follower) == ["100|one"]
    append(log, "o\n102|three")
    shutil.copy2(log, log.with_name("queue_log.1"))
    os.truncate(log, 0)
    append(log, "103|four\n")
    assert everything(follower) == ["101|two", "102|three", "103|four"]


def test_another_file_beside_it_is_not_taken_for_the_copy(log, follower):
    append(log, "100|one\n101|par")
    assert everything(follower) == ["100|one"]
    log.with_name("queue_log.old").write_text("900|from quite another day\n901|and more of it\n")
    os.truncate(log, 0)
    append(log, "102|two\n")
    assert everything(follower) == ["101|par", "102|two"]


def test_lines_longer_than_a_read_and_bytes_that_are_no_text_get_through(log, follower):
    log.write_bytes(b"a\xff\xfeb\n" + b"x" * (CHUNK_BYTES + 10))
    lines = everything(follower)
    assert lines[0] == "a\ufffd\ufffdb"
    assert all(len(line) >= LONGEST_LINE_BYTES for line in lines[1:])


def test_the_predecessor_is_the_newest_uncompressed_file_that_rotation_named(log):
    for name, age in [("queue_log.2", 20), ("queue_log-20260101", 10), ("queue_log.1.gz", 5), ("queue_logger", 1)]:
        (log.parent / name).touch()
        os.utime(log.parent / name, (1_700_000_000 - age, 1_700_000_000 - age))
    assert [path.name for path in predecessors(log)] == ["queue_log-20260101", "queue_log.2"]
