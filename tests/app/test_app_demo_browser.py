"""The demo page as its user meets it, in headless Chromium."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from cifar100.base.errors import UserError
from cifar100.report.renderers.programs import find_browser

pytestmark = pytest.mark.slow
CHECKOUT = Path(__file__).parents[2]
PATIENCE_S = 300


@pytest.fixture
def address(digits_run, tmp_path: Path) -> Iterator[str]:
    """Where the command serves two networks; interrupted at the end."""
    pytest.importorskip("gradio", reason="needs the extra demo")
    pytest.importorskip("captum", reason="needs the extra demo")
    for seed in (0, 1):
        digits_run(tmp_path / "multirun" / "digits" / f"run-seed{seed}", seed)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cifar100", "demo", "multirun", f"port={port}"]
    environment = os.environ | {"PYTHONPATH": str(CHECKOUT)}
    with (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=out, stderr=out)
    end = time.monotonic() + PATIENCE_S
    while "shows the page" not in (text := (tmp_path / "out").read_text()):
        assert process.poll() is None and time.monotonic() < end, text
        time.sleep(0.5)
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 143
    assert "Traceback" not in (tmp_path / "out").read_text()


@pytest.fixture
def page(address: str):
    """The page in a browser; no request may leave the machine, and no script may fail."""
    playwright = pytest.importorskip("playwright.sync_api", reason="needs pip install playwright")
    try:
        browser = find_browser()
    except UserError as error:
        pytest.skip(str(error))
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1400, "height": 1000})
        page.set_default_timeout(1000 * PATIENCE_S)
        asked, faults = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        yield page
        elsewhere = [url for url in asked if not url.startswith((address, "data:", "blob:"))]
        assert not elsewhere and not faults
        chromium.close()


def test_test_images_own_pictures_and_what_is_none(page, tmp_path):
    page.locator(".grid-container button").nth(3).click()
    page.wait_for_function("document.querySelectorAll('.confidence-set').length == 10")
    first, second = (
        [each.inner_text() for each in column.locator(".confidence-set").all()] for column in columns(page)
    )
    assert first != second and all("%" in line for line in first)
    assert page.get_by_text("Evidence for").count() + page.get_by_text("No evidence").count() == 2

    chosen = columns(page)[0].locator(".confidence-set").nth(4)
    name = " ".join(chosen.inner_text().split()[:-1])
    chosen.click()
    columns(page)[0].get_by_text(re.compile(f"Evidence for {name}$|No evidence")).wait_for()

    Image.effect_noise((300, 200), 80).save(tmp_path / "mine.png")
    before = columns(page)[0].inner_text()
    upload(page, tmp_path / "mine.png")
    page.wait_for_function("document.querySelectorAll('.confidence-set').length == 10")
    assert columns(page)[0].inner_text() != before

    (tmp_path / "none.png").write_bytes(b"no picture")
    upload(page, tmp_path / "none.png")
    page.get_by_text("none.png cannot be read (it is no PNG").first.wait_for()


def upload(page, file: Path) -> None:
    """Puts a picture in the place of the one that is there."""
    page.get_by_label("Remove Image").click()
    page.wait_for_function("document.querySelectorAll('.confidence-set').length == 0")
    page.locator("input[type=file]").first.set_input_files(file)


def columns(page) -> list:
    """The parts of the page that belong to the two networks; what they stand in is before them."""
    return page.locator(".column").filter(has=page.get_by_text("Top five")).all()[-2:]
