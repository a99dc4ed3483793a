"""The wheel: conf/ travels inside it, and its commands work away from the checkout."""

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[1]
pytestmark = pytest.mark.slow


def call(*arguments: str, **options) -> subprocess.CompletedProcess:
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Built in isolation, unless the build backend is here: then without network, too."""
    folder = tmp_path_factory.mktemp("wheel")
    here = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    call("-m", "pip", "wheel", "--quiet", "--no-deps", *here, "--wheel-dir", str(folder), str(CHECKOUT))
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_holds_the_package_and_its_configuration(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    conf = {f"cifar100/{path.relative_to(CHECKOUT)}" for path in (CHECKOUT / "conf").rglob("*.yaml")}
    files = [path for path in (CHECKOUT / "cifar100").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    package = {str(path.relative_to(CHECKOUT)) for path in files}
    assert len(conf) > 50 and conf <= names and package <= names
    others = {name for name in names - conf - package if ".dist-info/" not in name}
    assert others == {"hydra_plugins/cifar100_search.py"}, "no tests, runs or data"


def test_trains_and_evaluates_away_from_the_checkout(wheel, image_cache, tmp_path):
    installed, elsewhere = tmp_path / "installed", tmp_path / "elsewhere"
    elsewhere.mkdir()
    call("-m", "pip", "install", "--quiet", "--no-deps", "--target", str(installed), str(wheel))
    options = {"cwd": elsewhere, "env": os.environ | {"PYTHONPATH": str(installed)}}
    where = call("-c", "from cifar100.config import CONF; print(CONF)", **options).stdout.strip()
    assert Path(where) == installed / "cifar100" / "conf"
    tiny = ["data=digits", "model.depths=[1,1,1]", "model.widths=[8,8,8]"]
    shown = call("-m", "cifar100", "train", *tiny, "trainer.num_train_epochs=0", **options)
    assert "3,890" in shown.stdout and list(elsewhere.iterdir()) == []
    call("-m", "cifar100", "train", *tiny, "trainer.num_train_epochs=1", **options)
    call("-m", "cifar100", "evaluate", "run_dir=multirun/default", "latency=false", **options)
    assert list(elsewhere.glob("multirun/default/*/evaluation/metrics.json"))
