"""Text made safe to show, messages about unknown names, plain-text tables."""

import pytest

from cifar100.base.text import aligned, in_order, joined, near, nearest, no_formula, one_line, plain_line, printable

HOSTILE = "a\x1b[31mb\u202ec\nd\te"


def test_a_message_shows_what_it_may_not_obey():
    assert one_line(HOSTILE) == "a\\x1b[31mb\\u202ec d e"
    assert len(one_line("x" * 5000)) <= 1000 and one_line("x" * 5000).endswith(" ...")


def test_a_document_leaves_out_what_it_may_not_obey():
    assert plain_line(HOSTILE, 40) == "a[31mbc d e"
    assert plain_line("x" * 100, 10) == "xxxxxxx..."
    assert printable(HOSTILE) == "a[31mbc d e" and printable("Straße 中文") == "Straße 中文"


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_no_cell_is_a_formula(cell):
    assert no_formula(cell) == f"'{cell}" and no_formula(-1.5) == -1.5 and no_formula("a=1") == "a=1"


def test_unknown_names_are_answered_with_near_ones():
    assert nearest("resnet2", ["wrn16_2", "resnet32", "resnet20"]) == ["resnet20", "resnet32"]
    assert near("xyz", ["se", "eca"]) == "; choose one of eca, se" and near("xyz", []) == ""


def test_lines_are_joined_as_a_sentence_would_be():
    assert joined("Could not load.\nOptions:\n\tone\n\ttwo") == "Could not load; Options: one; two"


def test_numbers_stand_to_the_right_and_text_to_the_left():
    table = [("run", "top-1", "state"), ("a", "9.00%", "finished"), ("abcd", "10.00%", "")]
    assert aligned(table, left=(0, 2)) == ["run    top-1  state", "a      9.00%  finished", "abcd  10.00%"]


def test_numbers_in_names_are_ordered_as_numbers():
    assert sorted(["k=11", "k=5", "K=7"], key=in_order) == ["k=5", "K=7", "k=11"]
