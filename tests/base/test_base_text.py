"""What strangers named reaches a terminal as text, and in one row."""

import logging

from cifar100.base.text import aligned, visible
from cifar100.logs import TerminalHandler

STEERING = "a\x1b[2Jb\rc\x07\u202ed"


def test_what_a_terminal_would_obey_is_escaped():
    assert visible(STEERING) == r"a\x1b[2Jb\rc\x07\u202ed"
    assert visible("two\nlines\tof 研究") == "two\nlines\\tof 研究"


def test_no_cell_forges_a_row():
    lines = aligned([("run", "top-1"), ("evil\nbest  99.99%\x1b[8m", "1.00%")])
    assert len(lines) == 2 and "\x1b" not in lines[1] and lines[1].endswith("1.00%")


def test_log_lines_reach_the_terminal_as_text(capsys):
    TerminalHandler().emit(logging.LogRecord("name", logging.INFO, "", 0, "run %s", (STEERING,), None))
    assert "\x1b" not in (out := capsys.readouterr().out) and r"\x1b[2J" in out
