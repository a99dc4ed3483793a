"""CSV and LaTeX: all texts of a table, harmless, and in CSV the numbers in full precision."""

import csv
import io
import re

import pytest

from cifar100.report.records.study import read_study
from cifar100.report.renderers.table_files import csv_text, latex_escaped, latex_text
from cifar100.report.tables.table import Cell, Table


def parsed(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_text(table), newline=""), strict=True))


def one_cell(text: str, value: float | None = None) -> Table:
    return Table("t", "Title", ("Heading",), ((Cell(text, value),),), keys=("key",))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_csv_holds_every_text_and_every_number(synthetic, small_study, language):
    for table in synthetic.report_tables(read_study(small_study), language):
        head, *lines = parsed(table)
        width = len(table.columns)
        assert tuple(head[:width]) == table.columns and len(lines) == len(table.rows)
        for line, cells in zip(lines, table.rows, strict=True):
            assert [text.removeprefix("'") for text in line[:width]] == [cell.text for cell in cells]
            numbers = dict(zip(head[width:], line[width:], strict=True))
            for key, cell in zip(table.keys, cells, strict=True):
                assert numbers.get(key, "") == ("" if cell.value is None else repr(cell.value))


def test_csv_is_what_the_standard_asks():
    text = csv_text(one_cell('a "quoted", text', 0.1 + 0.2))
    assert text == 'Heading,key\r\n"a ""quoted"", text",0.30000000000000004\r\n'


@pytest.mark.parametrize(
    "text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", " =1", "\t=1", "\r=1", "\uff1d1", "\n\u200b=1"]
)
def test_csv_holds_no_formula(text):
    cell = parsed(one_cell(text))[1][0]
    assert cell.startswith("'") and cell.isprintable()
    assert parsed(Table("t", "", (text,), ()))[0][0].startswith("'"), "headings hold labels, too"


def test_csv_writes_no_number_that_is_none():
    assert parsed(one_cell("x", float("inf"))) == [["Heading", "key"], ["x", ""]]


def test_latex_of_a_table(synthetic, small_study):
    (table,) = [each for each in synthetic.report_tables(read_study(small_study)) if each.id == "main"]
    text = latex_text(table)
    body = text.split(r"\midrule")[1].split(r"\bottomrule")[0]
    assert body.count(r" \\") == len(table.rows) and body.count("&") == len(table.rows) * (len(table.columns) - 1)
    assert r"\begin{tabular}{lrrrrrrlr}" in text and r"\label{tab:main}" in text and r"$\pm$" in body
    assert text.count(r"\par\footnotesize") == len(table.notes)


def test_latex_runs_nothing_from_a_run_directory():
    text = r"\input{/etc/passwd} $x$ & 50% #1 a_b {c} ~ ^ \\ [2em] ``q'' <a> | --" + "\x00\u202e\n\n\\par"
    table = Table("a/b c", text, (text,), ((Cell(text),),), (text,))
    result = latex_text(table)
    allowed = {
        "begin", "end", "centering", "caption", "label", "toprule", "midrule", "bottomrule", "par", "footnotesize",
        "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "textquotesingle",
        "textasciigrave",
    }  # fmt: skip
    assert set(re.findall(r"\\([A-Za-z]+)", result)) == allowed
    assert r"\label{tab:a-b-c}" in result
    rest = re.sub(r"\\[&%$#_{}]|\\[a-z]+(\{\})?|\{[\[\]-]\}| \\\\$", "", latex_escaped(text))
    assert not set("&%$#_^~\\[]`'\"<>|") & set(rest)
    lines = result.splitlines()
    assert len(lines) == len([line for line in lines if line.strip()]) and all(line.isprintable() for line in lines)
    assert result.count("{") == result.count("}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("58.09 ± 0.21", r"58.09 $\pm$ 0.21"), ("−1.20", "$-$1.20"), ("--", "{-}{-}"), ("a_b", r"a\_b"), ("残差", "残差")],
)
def test_latex_of_a_text(text, expected):
    assert latex_escaped(text) == expected
