"""Printing a page to PDF with an installed Chromium or Chrome, the one program here that sets HTML on paper well."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cifar100.base.errors import UserError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
SECONDS = 300
# No network, no first-run pages, no extensions: the page is a file and brings everything with it.
FLAGS = (
    "--headless", "--disable-gpu", "--no-first-run", "--no-default-browser-check", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
    "--no-pdf-header-footer",
)  # fmt: skip


def find_browser() -> str:
    """The path of the browser. Raises ValueError where none is installed."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    if found is None:
        raise UserError(
            "formats=[pdf] needs Chromium or Chrome on the PATH; install one, or print report.html from a browser"
        )
    return found


def pdf_of(html: str) -> bytes:
    """The page as a PDF file of A4 paper.

    Raises:
        ValueError: no browser, or one that fails, in one line.
    """
    browser = find_browser()
    with tempfile.TemporaryDirectory(prefix="cifar100-report-") as folder:
        page, printed = Path(folder, "report.html"), Path(folder, "report.pdf")
        page.write_text(html, encoding="utf-8")
        # Its sandbox refuses to run for the superuser, as in most containers; the page has no script and no network.
        sandbox = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        profile = f"--user-data-dir={folder}/profile"
        command = [browser, *FLAGS, *sandbox, profile, f"--print-to-pdf={printed}", page.as_uri()]
        try:
            done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=SECONDS)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise UserError(f"formats=[pdf]: {browser} did not print the report ({error})") from None
        if not printed.is_file():
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise UserError(f"formats=[pdf]: {browser} did not print the report ({last})")
        return printed.read_bytes()
