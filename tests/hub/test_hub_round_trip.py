"""There and back: what is pushed is what is pulled, bit by bit."""

import json

import pytest
import torch

from cifar100 import from_pretrained
from cifar100.evaluation import evaluate_run
from cifar100.hub import describe, load
from cifar100.hub.address import Address
from cifar100.hub.pull import pull
from cifar100.hub.push import push
from cifar100.record import RunDirectory

IMAGES = torch.rand(4, 1, 8, 8, generator=torch.Generator().manual_seed(0))


def logits(network):
    with torch.no_grad():
        return network(IMAGES)


def test_pushed_and_pulled_it_answers_and_evaluates_bitwise_the_same(hub, record, tmp_path):
    commit = push(run_dir=str(record.path), repo_id="ada/net")
    pulled = RunDirectory(pull(Address("ada/net")))
    assert pulled.path == tmp_path / "pulled" / hub.url[7:].replace(":", "%3A") / "ada--net/commits" / commit / "net"
    assert pulled.read_json("metrics.json") is None, "results are measured, not taken over"
    results = evaluate_run(pulled.path, latency=False)
    before = record.read_json("metrics.json")
    measured = results.keys() - {"git"}  # the sources may have changed in between
    assert {key: results[key] for key in measured} == {key: before[key] for key in measured}
    ours, theirs = (each.read_tensors("predictions.safetensors")[0]["logits"] for each in (record, pulled))
    assert torch.equal(ours, theirs)
    assert pulled.config() == record.config() and pulled.summary() == record.summary()
    assert pulled.status()["created"] == record.status()["created"]


def test_a_network_is_loaded_from_the_hub_a_folder_and_a_run(hub, record, files, tmp_path):
    hub.put("ada/net", files)
    (tmp_path / "downloaded").mkdir()
    for name in ("config.json", "model.safetensors"):
        (tmp_path / "downloaded" / name).write_bytes(files[name])
    expected = logits(load(record.path))
    for source in ("ada/net", "hf://ada/net@main", str(tmp_path / "downloaded"), pull(Address("ada/net"))):
        network = from_pretrained(source)
        assert not network.training and torch.equal(logits(network), expected), source
    about = describe("ada/net")
    assert about.class_names == tuple("0123456789") and about.data == "digits" and len(about.mean) == 1
    assert about.model == record.config()["model"]


def test_a_pinned_revision_keeps_the_weights_that_a_second_push_replaces(hub, study):
    first = push(run_dir=str(study / "run-seed0"), repo_id="ada/net")
    second = push(run_dir=str(study / "run-seed1"), repo_id="ada/net", commit_message="Another seed")
    assert first != second and hub.messages == ["Push run-seed0", "Another seed"]
    seeds = [logits(load(study / f"run-seed{seed}")) for seed in (0, 1)]
    assert torch.equal(logits(load("ada/net", revision=first)), seeds[0])
    assert torch.equal(logits(load(f"hf://ada/net@{second}")), seeds[1])
    assert torch.equal(logits(load("ada/net")), seeds[1]) and not torch.equal(*seeds)


def test_a_branch_is_made_and_read(hub, study):
    push(run_dir=str(study / "run-seed0"), repo_id="ada/net")
    push(run_dir=str(study / "run-seed1"), repo_id="ada/net", revision="other/seed")
    main, other = (logits(load("ada/net", revision=name)) for name in ("main", "other/seed"))
    assert torch.equal(main, logits(load(study / "run-seed0")))
    assert torch.equal(other, logits(load(study / "run-seed1")))


def test_a_commit_in_the_cache_needs_no_network(hub, files):
    commit = hub.put("ada/net", files)
    pull(Address("ada/net", commit))
    hub.requests.clear()
    pull(Address("ada/net", commit))
    assert not hub.requests


@pytest.mark.parametrize("prefix", ["average.module.", "model."])
def test_the_average_of_weights_goes_before_the_weights(hub, record, files, tmp_path, prefix):
    copy = RunDirectory(tmp_path / "run")
    copy.write_config(record.config())
    tensors, _ = record.load_checkpoint("best")
    other = {name: tensor + 1 for name, tensor in tensors.items()}
    if prefix != "model.":
        other |= {name.replace("model.", prefix): tensor for name, tensor in tensors.items()}
        copy.save_checkpoint("last", other, {})
        assert torch.equal(logits(load(copy.path)), logits(load(record.path)))
    else:
        copy.save_checkpoint("last", other, {})
        assert not torch.equal(logits(load(copy.path)), logits(load(record.path)))


def test_the_repository_is_plain(files):
    about = json.loads(files["config.json"])
    assert about["num_classes"] == 10 and about["model"]["_target_"] == "cifar100.models.network.Network"
    header = json.loads(files["model.safetensors"][8 : 8 + int.from_bytes(files["model.safetensors"][:8], "little")])
    assert header.pop("__metadata__") == {"format": "pt"}
    assert all(name.split(".")[0] in ("stem", "stages", "head") for name in header)
    status = json.loads(files["status.json"])
    assert set(status) == {"state", "created", "updated"}, "neither host nor process"
    assert set(files) == {
        "README.md", "config.json", "model.safetensors", "config.yaml", "environment.json", "status.json",
        "summary.json", "metrics.jsonl", "evaluation/metrics.json", "evaluation/per_class.csv",
        "evaluation/confusion.csv",
    }  # fmt: skip
