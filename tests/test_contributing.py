"""The examples of CONTRIBUTING.md, taken from the page and run: each composes, builds and learns."""

import inspect
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType

import pytest
import torch
import yaml
from hydra.utils import get_object

from cifar100.app.assemble import build_loss
from cifar100.config import build, build_network
from cifar100.report.document import words
from cifar100.report.document.document import Ref
from cifar100.report.document.report import Report
from cifar100.report.document.words import LANGUAGES
from cifar100.report.records.study import read_study

CHECKOUT = Path(__file__).parents[1]
PAGE = CHECKOUT / "CONTRIBUTING.md"
pytestmark = pytest.mark.skipif(not PAGE.exists(), reason="an installed package has no CONTRIBUTING.md")
EXAMPLE = re.compile(r"^\d\. `([\w/.]+)`.*?\n\n   ```(?:python|yaml)\n(.*?)\n   ```", re.DOTALL | re.MULTILINE)
TINY = ("model.depths=[1,1,1]", "model.widths=[8,8,16]", "data=digits")


def examples() -> dict[str, str]:
    return {path: textwrap.dedent(text) for path, text in EXAMPLE.findall(PAGE.read_text())} if PAGE.exists() else {}


CHOICES = [path for path in examples() if path.startswith("conf/")]


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder with the examples' files, their modules importable under the names that the page gives."""
    for path, text in examples().items():
        if path.endswith(".yaml"):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        else:
            assert not (CHECKOUT / path).exists(), f"{path} exists; take another example"
            module = ModuleType(path.removesuffix(".py").replace("/", "."))
            monkeypatch.setitem(sys.modules, module.__name__, module)
            exec(compile(text, path, "exec"), module.__dict__)
            parent, _, name = module.__name__.rpartition(".")
            monkeypatch.setattr(
                sys.modules.get(parent) or __import__(parent, fromlist=["_"]), name, module, raising=False
            )
    return tmp_path / "conf"


@pytest.fixture
def composed(added: Path, compose):
    """Called as (*overrides): what they compose with the examples' files beside the project's."""
    return lambda *overrides: compose(*TINY, *overrides, f"hydra.searchpath=['file://{added}']")


def test_the_page_has_an_example_of_each_kind():
    assert {Path(path).parts[1] for path in CHOICES} >= {"attention", "block", "optimizer", "loss", "data"}


@pytest.mark.parametrize("path", CHOICES)
def test_each_example_trains_a_step(composed, image_cache, path):
    group, choice = Path(path).parts[1], Path(path).stem
    typed = f"{group}={choice}"
    config = composed(typed)
    torch.manual_seed(0)
    data = build(config.data)
    network = build_network(config, [typed] if group in ("attention", "block") else [])
    optimizer, loss = build(config.optimizer)(network), build_loss(config, data)
    images = data.train.images[:64].float() / 255
    labels = data.train.labels[:64]
    losses = []
    for _ in range(8):
        optimizer.zero_grad()
        value = loss(network(images), labels)
        value.backward()
        assert all(each.grad is not None for each in network.parameters())
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < losses[0]
    assert len(data.val) and set(data.test.labels.tolist()) == set(range(data.num_classes))


@pytest.mark.parametrize("path", CHOICES)
def test_each_example_keeps_the_laws_of_its_kind(added, path):
    """Every option has a line in the docstring, and the file names every option."""
    node = yaml.safe_load(examples()[path])
    node = node.get(Path(path).parts[1], node)
    target = get_object(node["_target_"])
    options = {key for key in node if not key.startswith("_")}
    parameters = inspect.signature(target).parameters
    assert options <= set(parameters)
    assert {name for name, each in parameters.items() if each.kind == each.KEYWORD_ONLY} <= options
    if Path(path).parts[1] != "data":
        for option in options:
            described = "\n".join(each.__doc__ or "" for each in getattr(target, "__mro__", [target]))
            assert re.search(rf"^ +{option}: ", described, re.MULTILINE), option


@pytest.mark.slow
def test_the_projects_own_laws_hold_for_the_examples(tmp_path):
    """Written where the page says, they pass the tests that glob conf/, unasked."""
    for name in ("cifar100", "conf", "docs", "tests"):
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    for path, text in examples().items():
        (tmp_path / path).write_text(text + "\n")
    chosen = " or ".join(Path(path).stem for path in CHOICES)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "tests/models",
        "tests/optim",
        "-k",
        chosen,
    ]
    tried = subprocess.run(
        command, cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True
    )
    assert tried.returncode == 0, tried.stdout
    assert int(re.search(r"(\d+) passed", tried.stdout)[1]) >= len(CHOICES), tried.stdout


def test_the_loss_is_cross_entropy_where_nothing_is_added(composed):
    loss = build(composed("loss=poly", "loss.epsilon=0").loss)
    logits, labels = torch.randn(5, 10), torch.arange(5)
    shares = torch.nn.functional.one_hot(labels, 10).float()
    assert torch.allclose(loss(logits, labels), torch.nn.functional.cross_entropy(logits, labels))
    other = build(composed("loss=poly").loss)
    assert torch.allclose(other(logits, labels), other(logits, shares))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_section_stands_in_a_report_in_both_languages(added, language, monkeypatch):
    folder = added.parent / "cifar100" / "report" / "document"
    shutil.copytree(words.FOLDER / "words", folder / "words", dirs_exist_ok=True)
    monkeypatch.setattr(words, "FOLDER", folder)
    texts = words.load_words.__wrapped__(language)
    hours = sys.modules["cifar100.report.document.sections.hours"].hours
    section = hours(Report(read_study(CHECKOUT / "multirun" / "recipe", allow_mixed=True), (), texts))
    text, block = section.blocks
    assert (section.id, section.title) == ("hours", {"en": "Training time", "zh": "训练时间"}[language])
    labels = [row[0].text for row in block.table.rows]
    assert len(labels) == 4 and Ref("hours") in text.text and set(labels) & set(text.text)
    assert all(cell.value > 0 for cell in block.table.column("train_s"))


def test_every_file_that_the_page_names_is_there():
    named = re.findall(r"`((?:cifar100|conf|tests|docs)/[\w/.]+)`", PAGE.read_text())
    missing = [path for path in named if not (CHECKOUT / path).exists() and path not in examples()]
    assert len(named) > 12 and not missing
