"""A report as PDF, printed by an installed Chromium or Chrome, and as a Word file, made from its Markdown by pandoc,
which a package of Python brings along."""

import io
import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from cifar100.base.errors import UserError
from cifar100.report.document.document import Document
from cifar100.report.document.words import Words
from cifar100.report.renderers.markdown_document import markdown_document

SECONDS = 300
BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
)
# No network, no first-run pages, no extensions: the page is a file and brings everything with it.
BROWSER_FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--no-pdf-header-footer",
)  # fmt: skip
# The first heading is the title.
PANDOC_FLAGS = ("--from=gfm-raw_html", "--to=docx", "--shift-heading-level-by=-1", "--lua-filter=widths.lua")
WIDTHS = Path(__file__).parent / "templates" / "widths.lua"
# Where the file differs from pandoc's own template: type of 10.5 points, 8.5 in code, 8 in tables with lines between
# their rows, A4 paper.
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


def find_browser() -> str:
    """The path of the browser. Raises UserError where none is installed."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise UserError(
            "formats=[pdf] needs Chromium or Chrome on the PATH; install one, or print report.html from a browser"
        )
    return found


def find_pandoc() -> str:
    """The path of pandoc. Raises UserError where it is not installed."""
    found = shutil.which("pandoc")
    if found is None:
        try:
            import pypandoc

            found = pypandoc.get_pandoc_path()
        except (ImportError, OSError):
            raise UserError("formats=[docx] needs pandoc; install it with: pip install pypandoc_binary") from None
    return str(found)


def pdf_of(html: str) -> bytes:
    """The page as a PDF file of A4 paper.

    Raises:
        UserError: no browser, or one that fails, in one line.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="cifar100-report-") as folder:
        page, printed = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_text(html, encoding="utf-8")
        # Its sandbox refuses to run for the superuser, as in most containers; the page has no script and no network.
        sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        profile = f"--user-data-dir={folder}/profile"
        command = [browser, *BROWSER_FLAGS, *sandbox, profile, f"--print-to-pdf={printed}", page.as_uri()]
        return _run(command, folder, f"formats=[pdf]: {browser} did not print the report", printed)


def word_document(document: Document, words: Words) -> bytes:
    """The .docx file: headings are Word's, equations and tables can be edited, figures are its pictures.

    Raises:
        UserError: no pandoc, or one that fails, in one line.
    """
    pandoc, fault = find_pandoc(), "formats=[docx]: pandoc did not make the report"
    with tempfile.TemporaryDirectory(prefix="cifar100-report-") as folder:
        for figure in document.figures():
            Path(folder, f"{figure.id}.png").write_bytes(figure.png)
        Path(folder, "report.md").write_text(markdown_document(document, words, "{id}.png"), encoding="utf-8")
        shutil.copy(WIDTHS, folder)
        template = _run([pandoc, "--print-default-data-file", "reference.docx"], folder, fault)
        Path(folder, "reference.docx").write_bytes(_reference(template))
        command = [pandoc, *PANDOC_FLAGS, "--reference-doc=reference.docx", "--output=report.docx", "report.md"]
        return _run(command, folder, fault, Path(folder, "report.docx"))


def _run(command: Sequence[str], folder: str, fault: str, made: Path | None = None) -> bytes:
    """The bytes of the file `made`, else of standard output. `fault` begins the error's message."""
    environment = os.environ | {"SOURCE_DATE_EPOCH": "315532800"}  # equal documents give equal files
    try:
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=SECONDS)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{fault} ({error})") from None
    if not (made.is_file() if made else done.returncode == 0):
        last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no message"])[-1]
        raise UserError(f"{fault} ({last})")
    return made.read_bytes() if made else done.stdout


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
