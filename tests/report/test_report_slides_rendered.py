"""The deck as LibreOffice draws it: as many pages as slides, every word within the page and above the footer."""

import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from cifar100.report.document.words import load_words
from cifar100.report.records.study import read_study
from cifar100.report.renderers.slides import write_slides

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("soffice") and shutil.which("pdftotext")), reason="needs LibreOffice, poppler"
    ),
]
FOOTER = 7.0 * 72  # points from the top, where only study name and page number stand


@pytest.fixture(scope="module", params=[("en", 8, 1), ("zh", 8, 1), ("en", 40, 6), ("zh", 1, 0)])
def pages(request, synthetic, tmp_path_factory):
    language, rows, ablations = request.param
    root = tmp_path_factory.mktemp("rendered")
    study = read_study(synthetic.write_study(root / "study", rows=rows, seeds=2, classes=10))
    more = [read_study(synthetic.write_study(root / f"a{i}", rows=3, seeds=2, classes=5)) for i in range(ablations)]
    content = write_slides(study, load_words(language), ablations=more, path=root / "slides.pptx")
    profile = f"-env:UserInstallation=file://{root}/profile"
    command = [
        "soffice",
        profile,
        "--headless",
        "--convert-to",
        "pdf",
        "--outdir",
        str(root),
        str(root / "slides.pptx"),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    subprocess.run(["pdftotext", "-bbox", str(root / "slides.pdf"), str(root / "words.html")], check=True, timeout=60)
    text = re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", (root / "words.html").read_text(encoding="utf-8"))
    tree = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text))
    return content, tree.findall(".//{*}page")


def test_pages_and_places_of_words(pages):
    content, drawn = pages
    assert 12 <= len(drawn) <= 16
    for number, page in enumerate(drawn, 1):
        width, height = float(page.get("width")), float(page.get("height"))
        words = page.findall("{*}word")
        assert len(words) > 3, number
        for word in words:
            assert 0 <= float(word.get("xMin")) and float(word.get("xMax")) <= width + 1, (number, word.text)
            assert 0 <= float(word.get("yMin")) and float(word.get("yMax")) <= height + 1, (number, word.text)
        foot = [word.text for word in words if float(word.get("yMax")) > FOOTER + 2]
        assert foot == ["study", str(number)], (number, foot)
