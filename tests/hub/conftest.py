"""A Hub on a loopback port, and a study of two evaluated runs on digits to push to it."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest
from huggingface_hub import constants

from cifar100.evaluation import evaluate_run
from cifar100.hub import HubError
from cifar100.hub.address import Address
from cifar100.hub.pull import pull
from cifar100.hub.push import run_repository
from cifar100.record import RunDirectory, describe_environment


def _beside(name: str) -> ModuleType:
    """The module of this folder, under the name hub_<name>: pytest's importlib mode puts no folder on the path."""
    spec = importlib.util.spec_from_file_location(f"hub_{name}", Path(__file__).with_name(f"{name}.py"))
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


server, api = _beside("server"), _beside("api")
SECRET = "cifar100_pwned"  # in the environment of tests that try to read it
TINY = ["data=digits", "model.depths=[1,1,1]", "model.widths=[4,4,8]", "trainer.num_train_epochs=1"]


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[server.Hub]:
    """A Hub that huggingface_hub talks to in this test, as the user ada, with an empty cache for what is pulled."""
    with server.serving(api.ROUTES) as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no_token"))
        monkeypatch.setenv("HF_TOKEN", "hf_ada")
        monkeypatch.setattr("cifar100.hub.store.default_folder", lambda: tmp_path / "pulled")
        yield running


@pytest.fixture
def refused(hub: server.Hub, tmp_path: Path) -> Callable[..., str]:
    """Called as (kind=HubError): the one line by which the repository ada/net is refused, nothing of it on the disk."""

    def refuse(kind: type[Exception] | tuple[type[Exception], ...] = HubError) -> str:
        before = {path for path in tmp_path.rglob("*") if path.is_file()}
        with pytest.raises(kind) as error:
            pull(Address("ada/net"))
        line = str(error.value)
        assert line.isprintable() and len(line) <= 1000 and str(tmp_path) not in line
        assert SECRET not in line
        assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
        assert not list(tmp_path.glob("pulled/*/*/commits/*"))
        return line

    return refuse


@pytest.fixture(scope="session")
def study(tmp_path_factory: pytest.TempPathFactory, record_run) -> Path:
    """multirun/digits with two evaluated runs, which differ in their seed and were never trained."""
    folder = tmp_path_factory.mktemp("hub") / "multirun" / "digits"
    for seed in (0, 1):
        run = record_run(folder / f"run-seed{seed}", seed=seed)
        run.write_config(run.config() | {"label": "a <b>|network|</b>"})
        run.write_environment(describe_environment())
        run.write_summary({"train_s": 1.5})
        run.write_metrics([{"epoch": 1, "train/loss": 2.0}])
        run.write_status("finished")
        evaluate_run(run.path, latency=False)
    return folder


@pytest.fixture(scope="session")
def record(study: Path) -> RunDirectory:
    return RunDirectory(study / "run-seed0")


@pytest.fixture(scope="session")
def files(record: RunDirectory) -> dict[str, bytes]:
    """What a push of the run puts into its repository."""
    return run_repository(record, "ada/net", None)
