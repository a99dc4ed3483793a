"""A document as a Word file, made from its Markdown by pandoc, which a package of Python brings along."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from pathlib import Path

from cifar100.base.errors import UserError
from cifar100.report.document.document import Document
from cifar100.report.document.words import Words
from cifar100.report.renderers.markdown_document import markdown_document

SECONDS = 300
# The first heading is the title.
FLAGS = ("--from=gfm-raw_html", "--to=docx", "--shift-heading-level-by=-1", "--lua-filter=widths.lua")
# Columns share the page as their longest texts, up to 34 letters, headings as half of theirs; a Chinese character
# is two wide.
WIDTHS = """
function Table(whole)
  local widest, sum = {}, 0
  local function measure(rows, share)
    for _, row in ipairs(rows) do
      for i, cell in ipairs(row.cells) do
        local wide = 2
        for _, code in utf8.codes(pandoc.utils.stringify(cell.contents)) do wide = wide + (code > 0x2e7f and 2 or 1) end
        widest[i] = math.max(widest[i] or 5, math.min(wide * share, 34))
      end
    end
  end
  measure(whole.head.rows, 0.5)
  for _, body in ipairs(whole.bodies) do measure(body.body, 1) end
  for _, wide in ipairs(widest) do sum = sum + wide end
  for i, spec in ipairs(whole.colspecs) do whole.colspecs[i] = {spec[1], widest[i] / math.max(sum, 100)} end
  return whole
end
"""
TEMPLATE = ("--print-default-data-file", "reference.docx")
# What the file differs in from pandoc's own template: type of 10.5 points, 8.5 in code, 8 in tables with lines
# between their rows, A4 paper.
_INDENT = '<w:tblInd w:w="0" w:type="dxa" />'
_LINES = '<w:tblBorders><w:insideH w:val="single" w:sz="2" w:color="C9D1DA" /></w:tblBorders>'
_STYLES = (
    ('<w:sz w:val="24" />', '<w:sz w:val="21" />'),
    ('<w:sz w:val="22" />', '<w:sz w:val="17" />'),
    ('<w:left w:w="108" w:type="dxa" />', '<w:left w:w="57" w:type="dxa" />'),
    ('<w:right w:w="108" w:type="dxa" />', '<w:right w:w="57" w:type="dxa" />'),
    (
        f"<w:tblPr>\n      {_INDENT}\n      <w:tblCellMar>",
        f'<w:rPr><w:sz w:val="16" /></w:rPr><w:tblPr>{_INDENT}{_LINES}<w:tblCellMar>',
    ),
)
_PAGE = (
    '<w:pgSz w:w="11906" w:h="16838" /><w:pgMar w:top="1134" w:right="1134" w:bottom="1134" w:left="1134" '
    'w:header="709" w:footer="709" w:gutter="0" />'
)


def find_pandoc() -> str:
    """The path of pandoc. Raises ValueError where it is not installed."""
    found = shutil.which("pandoc")
    if found is None:
        try:
            import pypandoc

            found = pypandoc.get_pandoc_path()
        except (ImportError, OSError):
            raise UserError("formats=[docx] needs pandoc; install it with: pip install pypandoc_binary") from None
    return str(found)


def word_document(document: Document, words: Words) -> bytes:
    """The .docx file: headings are Word's, equations and tables can be edited, figures are its pictures.

    Raises:
        ValueError: no pandoc, or one that fails, in one line.
    """
    pandoc = find_pandoc()
    with tempfile.TemporaryDirectory(prefix="cifar100-report-") as folder:
        for figure in document.figures():
            Path(folder, f"{figure.id}.png").write_bytes(figure.png)
        text, made = Path(folder, "report.md"), Path(folder, "report.docx")
        text.write_text(markdown_document(document, words, "{id}.png"), encoding="utf-8")
        Path(folder, "widths.lua").write_text(WIDTHS, encoding="utf-8")
        Path(folder, "reference.docx").write_bytes(_reference(_output([pandoc, *TEMPLATE], folder)))
        _output([pandoc, *FLAGS, "--reference-doc=reference.docx", f"--output={made.name}", text.name], folder)
        return made.read_bytes()


def _output(command: list[str], folder: str) -> bytes:
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800"}  # equal documents give equal files
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"formats=[docx]: pandoc did not make the report ({error})") from None
    if done.returncode:
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise UserError(f"formats=[docx]: pandoc did not make the report ({last})")
    return done.stdout


def _reference(template: bytes) -> bytes:
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(template)) as old, zipfile.ZipFile(changed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = old.read(name).decode() if name.endswith(".xml") else old.read(name)
            if name == "word/styles.xml":
                for before, after in _STYLES:
                    part = part.replace(before, after, 1)
            elif name == "word/document.xml":
                part = part.replace("</w:sectPr>", f"{_PAGE}</w:sectPr>")
            new.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), part)
    return changed.getvalue()
