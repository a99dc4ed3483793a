"""Pages that are written from conf/ and the code are those that conf/ and the code give now."""

import ast
import csv
import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

CHECKOUT = Path(__file__).parents[1]
DOCS = CHECKOUT / "docs"
pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="an installed package has no docs")


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch):
    """They import what stands beside them."""
    monkeypatch.syspath_prepend(str(DOCS))


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", DOCS / f"{name}.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_options_is_up_to_date():
    page = script("options").page()
    assert (DOCS / "options.md").read_text() == page, "run: python docs/options.py docs/options.md"


def test_every_option_is_explained():
    rows = re.findall(r"^\| (`.*`) \| .* \| (.*) \|$", script("options").page(), re.MULTILINE)
    assert len(rows) > 300
    without = sorted({name for name, meaning in rows if not meaning.strip()})
    assert not without, (
        f"say in conf/ (a comment behind the option) or in the constructor's Args what is meant: {without}"
    )


def section(file: str, name: str) -> str:
    return re.search(rf"<!-- {name} -->\n(.*?)\n<!-- end -->", (CHECKOUT / file).read_text(), re.DOTALL)[1]


def test_the_readme_lists_the_choices_that_there_are():
    matrix = script("matrix")
    matrix.register_resolvers()
    assert section("README.md", "choices") == matrix.choices_table(), "run: python docs/matrix.py README.md"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["recipes", "matrix", "exports"])
def test_what_goes_with_what_is_up_to_date(name):
    matrix = script("matrix")
    matrix.register_resolvers()
    assert section("docs/combinations.md", name) == matrix.SECTIONS[name](), (
        "run: python docs/matrix.py docs/combinations.md"
    )


@pytest.mark.parametrize(
    ("file", "name"), [("README.md", "study"), ("README.zh.md", "study-zh"), ("docs/models.md", "weights")]
)
def test_the_studys_results_are_those_of_its_records(file, name):
    assert section(file, name) == script("results").SECTIONS[name](), (
        "run: python docs/results.py README.md README.zh.md docs/models.md"
    )


@pytest.mark.parametrize(
    ("file", "name"), [("README.md", "study"), ("README.zh.md", "study-zh"), ("docs/models.md", "weights")]
)
def test_published_accuracies_are_recomputed_from_confusion_matrices(file, name):
    """By another way than the page's own: images on the diagonal of the records that each line links to."""
    for line in section(file, name).splitlines()[2:]:
        places = re.findall(r"\]\((\S*?multirun\S*?)\)", line)
        assert places, line
        matrices = [
            list(csv.reader(((CHECKOUT / file).parent / each / "evaluation/confusion.csv").open())) for each in places
        ]
        correct = [sum(int(row[1 + index]) for index, row in enumerate(matrix[1:])) for matrix in matrices]
        numbers = [f"{100 * np.mean(correct) / 10_000:.2f}"]
        numbers += [f"± {np.std(correct, ddof=1) / 100:.2f}"] if len(correct) > 1 else []
        assert " ".join(numbers) in line, line


@pytest.mark.parametrize(
    "page", ["README.md", "README.zh.md", "CONTRIBUTING.md", *(f"docs/{file.name}" for file in DOCS.glob("*.md"))]
)
def test_links_lead_somewhere(page):
    file = CHECKOUT / page
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", file.read_text())
    missing = [link for link in links if "://" not in link and not (file.parent / link).exists()]
    assert not missing


def test_the_example_of_options_swept_together_is_hydras_grammar(compose):
    from hydra.core.override_parser.overrides_parser import OverridesParser

    line = next(line for line in (CHECKOUT / "README.md").read_text().splitlines() if "+size={" in line)
    typed = re.findall(r"'([^']*)'", line)
    swept, *others = typed
    values = list(OverridesParser.create().parse_override(swept).sweep_string_iterator())
    found = []
    for value in values:
        config = compose(f"+size={value}", *others)
        found.append((list(config.model.depths), list(config.model.widths)))
    assert found == [([3, 3, 3], [16, 32, 64]), ([5, 5, 5], [24, 48, 96])]


def test_the_design_page_shows_the_table_of_imports():
    text = (CHECKOUT / "tests" / "test_layering.py").read_text()
    nodes = ast.parse(text).body
    (table,) = (node.value for node in nodes if isinstance(node, ast.Assign) and node.targets[0].id == "MAY_IMPORT")
    held = {part or "__init__": allowed for part, allowed in eval(compile(ast.Expression(table), "", "eval")).items()}
    rows = re.findall(r"^\| ((?:`\w+` ?)+) \| (.*) \|$", (DOCS / "design.md").read_text(), re.MULTILINE)
    names = re.compile(r"`(\w+)`")
    shown = {part: set(names.findall(allowed)) for parts, allowed in rows for part in names.findall(parts)}
    shown.pop("app")
    assert shown == held, "bring the table in docs/design.md up to date"


def test_the_chinese_readme_has_the_same_commands():
    def commands(name: str) -> list[str]:
        lines = (CHECKOUT / name).read_text().splitlines()
        return [re.sub(r"\s+# .*", "", line) for line in lines if line.startswith("    ")]

    assert commands("README.zh.md") == commands("README.md"), "give README.zh.md the commands that README.md has now"
