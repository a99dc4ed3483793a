"""What is pushed, and what is not: refused before the Hub is asked."""

import json

import pytest
import torch
from safetensors.torch import load as parse

from cifar100.hub import HubError
from cifar100.hub.push import push
from cifar100.hub.weights import weights_of
from cifar100.record import RunDirectory


def copy_of(record: RunDirectory, folder, **files) -> RunDirectory:
    """The run again, in a study of its own, with some of its JSON files changed."""
    run = RunDirectory(folder / "study" / "run")
    for path in record.path.rglob("*"):
        if path.is_file() and path.name != ".lock":
            target = run.path / path.relative_to(record.path)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    for name, changes in files.items():
        path = run.path / f"{name.replace('__', '/')}.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return run


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "name either run_dir="),
        ({"run_dir": "a", "study": "b"}, "name either run_dir="),
        ({"run_dir": "a", "repo_id": None}, "repo_id is missing"),
        ({"run_dir": "a", "repo_id": "net"}, "repo_id=net can be no repository"),
        ({"run_dir": "a", "repo_id": "../net"}, "can be no repository"),
        ({"run_dir": "a", "repo_id": 7}, "can be no repository"),
        ({"run_dir": "a", "revision": "a..b"}, "can be no branch"),
        ({"run_dir": "a", "private": "yes"}, "private=yes must be true or false"),
        ({"run_dir": ["a", "b"]}, "must be the name of one folder"),
        ({"run_dir": "a", "space": "ada/net"}, "needs run_dir=, and another name than repo_id=ada/net"),
        ({"study": "a", "space": "ada/page"}, "space=ada/page is a page for a run"),
        ({"run_dir": "a", "space": "page"}, "repo_id=page can be no repository"),
        ({"study": "a", "weights": 1}, "weights=1 must be true or false"),
        ({"run_dir": "nowhere"}, "names no run directory"),
        ({"study": "nowhere"}, "names no run directory"),
    ],
)
def test_a_push_that_makes_no_sense_is_refused(hub, options, told):
    with pytest.raises(ValueError, match=told):
        push(**{"repo_id": "ada/net"} | options)
    assert not hub.requests


def test_several_runs_are_no_network(hub, study):
    with pytest.raises(HubError, match="names 2 runs; name one, or push them together with study="):
        push(run_dir=str(study), repo_id="ada/net")


def test_a_glob_is_no_study(hub, study):
    with pytest.raises(HubError, match="must be the name of one folder that holds its runs"):
        push(study=f"{study}/*", repo_id="ada/records")


def test_only_an_evaluated_run_is_pushed(hub, record, tmp_path):
    run = copy_of(record, tmp_path)
    (run.path / "evaluation" / "metrics.json").unlink()
    with pytest.raises(HubError, match="not evaluated; python evaluate.py"):
        push(run_dir=str(run.path), repo_id="ada/net")


def test_results_of_other_weights_are_not_pushed(hub, record, tmp_path):
    run = copy_of(record, tmp_path, evaluation__metrics={"epoch": 9})
    with pytest.raises(HubError, match="trained on after its evaluation; run evaluate.py on it again"):
        push(run_dir=str(run.path), repo_id="ada/net")
    assert not hub.repositories


def test_a_second_push_commits_what_changed_and_keeps_the_rest(hub, record):
    first = push(run_dir=str(record.path), repo_id="ada/net", private=True)
    repository = hub.repositories["model", "ada/net"]
    repository.commit(repository.commits[first] | {"mine.txt": b"notes"})
    second = push(run_dir=str(record.path), repo_id="ada/net", license="mit")
    assert repository.private and repository.commits[second]["mine.txt"] == b"notes"
    assert b"license: mit" in repository.commits[second]["README.md"]
    assert len(hub.objects) == 1, "the same weights are stored once"


def test_weights_of_a_compiled_network_have_its_own_names():
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3)).to(memory_format=torch.channels_last)
    found = weights_of(torch.compile(network, backend="eager"))
    assert list(found) == ["0.weight", "0.bias"] and all(each.is_contiguous() for each in found.values())
    assert torch.equal(found["0.weight"], network[0].weight)


@pytest.mark.parametrize("weights", [False, True])
def test_a_study_becomes_a_dataset(hub, study, weights):
    commit = push(study=str(study), repo_id="ada/records", weights=weights)
    files = hub.repositories["dataset", "ada/records"].commits[commit]
    for seed in (0, 1):
        run = RunDirectory(study / f"run-seed{seed}")
        assert json.loads(files[f"{run.name}/evaluation/metrics.json"]) == run.read_json("metrics.json")
        assert "host" not in json.loads(files[f"{run.name}/status.json"])
        kept, _ = run.load_checkpoint("best")
        if weights:
            pushed = parse(files[f"{run.name}/model.safetensors"])
            assert all(torch.equal(pushed[name.removeprefix("model.")], tensor) for name, tensor in kept.items())
    assert any(name.endswith(".safetensors") for name in files) is weights
    assert not [name for name in files if "checkpoints" in name or name.endswith(".log")]
    assert b"a \\<b\\>\\|network\\|\\</b\\>" in files["README.md"]


def test_a_pushed_study_is_reported_where_it_is_downloaded(hub, study, tmp_path):
    from cifar100.report.records.study import read_study

    commit = push(study=str(study), repo_id="ada/records")
    for name, content in hub.repositories["dataset", "ada/records"].commits[commit].items():
        path = tmp_path / "downloaded" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    here, there = (read_study(folder).baseline for folder in (study, tmp_path / "downloaded"))
    assert (there.seeds, there.values("top1"), there.label) == (here.seeds, here.values("top1"), here.label)


def test_a_space_has_the_page_its_sources_and_test_images(hub, record):
    import io

    import yaml
    from PIL import Image

    from cifar100.config import CONF
    from cifar100.data.digits import read_digits

    commit = push(run_dir=str(record.path), repo_id="ada/net", space="ada/page")
    (files,) = list(hub.repositories["space", "ada/page"].commits.values())[1:]
    about = yaml.safe_load(files["README.md"].decode().split("---")[1])
    assert (about["sdk"], about["app_file"], about["models"]) == ("gradio", "app.py", ["ada/net"])
    assert f'serve("hf://ada/net@{commit}", ' in files["app.py"].decode()
    compile(files["app.py"], "app.py", "exec")
    assert "torch>=" in files["requirements.txt"].decode() and "captum" in files["requirements.txt"].decode()
    package = CONF.parent / "cifar100"
    wanted = {f"cifar100/{path.relative_to(package)}" for path in package.rglob("*.py")}
    wanted |= {f"cifar100/{path.relative_to(CONF.parent)}" for path in CONF.rglob("*.yaml")}
    assert wanted <= set(files) and sum(map(len, files.values())) < 5e6
    pictures = {name: content for name, content in files.items() if name.startswith("samples/")}
    data = read_digits()
    pairs = zip(data.test.images.numpy(), data.test.labels.tolist(), strict=True)
    names = {image.tobytes(): data.class_names[label] for image, label in pairs}
    assert len(pictures) == 12 and len({name.partition("-")[2] for name in pictures}) > 3
    for name, content in pictures.items():
        assert name.partition("-")[2] == f"{names[Image.open(io.BytesIO(content)).tobytes()]}.png"
