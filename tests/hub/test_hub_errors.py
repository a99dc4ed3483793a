"""What goes wrong between here and the Hub, each told in one line with its cure."""

import errno
import socket
import threading

import pytest
from huggingface_hub import constants

from cifar100.base.errors import FAILED, MISTYPED
from cifar100.hub import HubError, HubUnreachable, load, local_runs
from cifar100.hub.address import Address, parse_address
from cifar100.hub.pull import pull
from cifar100.hub.push import push
from cifar100.mistakes import explain, mistake


def told(kind, call, *arguments, **options) -> str:
    """The line with which the call ends, and whose exit status tells whether trying again can help."""
    with pytest.raises(kind) as error:
        call(*arguments, **options)
    line = explain(error.value)
    assert mistake(error.value) == (FAILED if kind is HubUnreachable else MISTYPED)
    assert line.isprintable() and line == str(error.value)
    return line


def unplug(monkeypatch) -> None:
    """Nobody listens at the endpoint any more."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    old = constants.ENDPOINT
    monkeypatch.setattr(constants, "ENDPOINT", url)
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template.replace(old, url))


def test_a_repository_that_is_not_there_is_told_with_near_names(hub, files):
    hub.put("ada/resnet20", files)
    assert "did you mean ada/resnet20?" in told(HubError, load, "ada/resnet2O")
    line = told(HubError, load, "bob/net")
    assert line.startswith("hf://bob/net does not exist, or is private; check the name, or log in with `hf auth login`")


def test_a_revision_that_is_not_there_is_told_with_near_names(hub, files):
    hub.put("ada/net", files)
    hub.put("ada/net", files, branch="float32")
    line = told(HubError, pull, Address("ada/net", "flaot32"))
    assert line == "ada/net has no revision flaot32; did you mean float32?"
    assert "has no revision" in told(HubError, pull, Address("ada/net", "v9"))
    assert "there is no such branch, tag or commit" in told(HubError, pull, Address("ada/net", "0" * 40))


def test_what_is_private_needs_its_owner(hub, files, monkeypatch):
    hub.put("ada/net", files, private=True)
    hub.put("ada/nets", files)
    for token in ("hf_bob", ""):
        monkeypatch.setenv("HF_TOKEN", token)
        line = told(HubError, load, "ada/net")
        assert "does not exist, or is private" in line and line.endswith("did you mean ada/nets?")
    monkeypatch.setenv("HF_TOKEN", "hf_ada")
    assert load("ada/net")


@pytest.mark.parametrize(
    ("token", "text"),
    [("", "wants a valid token"), ("hf_wrong", "wants a valid token"), ("hf_bob", "your token may not do this")],
)
def test_a_push_without_the_right_is_refused(hub, record, monkeypatch, token, text):
    monkeypatch.setenv("HF_TOKEN", token)
    assert text in told(HubError, push, run_dir=str(record.path), repo_id="ada/net")
    assert not hub.repositories


def test_an_upload_that_is_refused_is_told(hub, record):
    hub.routes = ((("PUT",), "/storage/.*", lambda handler: handler.answer(403)), *hub.routes)
    assert "your token may not do this" in told(HubError, push, run_dir=str(record.path), repo_id="ada/net")
    assert len(hub.repositories["model", "ada/net"].commits) == 1, "nothing was committed"


def test_a_network_that_is_down_is_told_at_once(hub, record, monkeypatch):
    unplug(monkeypatch)
    line = told(HubUnreachable, load, "ada/net")
    assert f"no answer from {constants.ENDPOINT}" in line and "check the network" in line
    assert "no answer from" in told(HubUnreachable, push, run_dir=str(record.path), repo_id="ada/net")
    with pytest.raises(OSError) as error:
        load("ada/net")
    assert error.value.errno == errno.EHOSTUNREACH


def test_a_hub_that_is_down_is_told(hub, files):
    hub.put("ada/net", files)
    hub.instead["config.yaml"] = lambda handler: handler.answer(503, {"error": "busy"})
    assert "answers 503" in told(HubUnreachable, load, "ada/net")


def test_what_was_fetched_serves_while_the_network_is_down(hub, files, monkeypatch, caplog):
    hub.put("ada/net", files)
    first = pull(Address("ada/net"))
    monkeypatch.setattr("cifar100.hub.pull.resolve", lambda address: (_ for _ in ()).throw(HubUnreachable("no answer")))
    assert pull(Address("ada/net")) == first
    assert caplog.messages[-1].startswith("no answer; taking what was fetched before, commit ")


def test_offline_takes_what_is_in_the_cache_and_names_what_is_not(hub, record, files, monkeypatch):
    commit = hub.put("ada/net", files)
    first = pull(Address("ada/net"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.requests.clear()
    for source in ("hf://ada/net", f"hf://ada/net@{commit}"):
        assert local_runs([source, "multirun/x"]) == [str(first), "multirun/x"]
    cure = "is not in the cache, and HF_HUB_OFFLINE is set; fetch it once without"
    assert told(HubError, load, "ada/other") == f"hf://ada/other {cure}"
    assert cure in told(HubError, load, "ada/net", revision="v2") and cure in told(
        HubError, load, f"ada/net@{'0' * 40}"
    )
    assert "HF_HUB_OFFLINE is set" in told(HubError, push, run_dir=str(record.path), repo_id="ada/net")
    assert not hub.requests


@pytest.mark.parametrize(
    "text",
    [
        "hf://", "hf://ada", "hf://ada/net/config.json", "hf://datasets/ada/net", "hf://../net", "hf://ada/..",
        "hf://ada/ne--t", "hf://ada/net.git", "hf:///etc/passwd", "hf://ada/n et", "hf://ada/net\n", "hf://ada/nét",
        "hf://ada/net@../../x", "hf://ada/net@/etc", "hf://ada/net@a b", "hf://ada/net@a//b", f"hf://ada/{'n' * 97}",
    ],
)  # fmt: skip
def test_a_name_that_can_be_no_repository_is_refused_unasked(hub, text):
    assert told(HubError, lambda: pull(parse_address(text)))
    assert not hub.requests


def test_several_processes_that_fetch_at_once_end_with_one_copy(hub, files, tmp_path):
    commit = hub.put("ada/net", files)
    barrier, found = threading.Barrier(4), []

    def fetch() -> None:
        barrier.wait()
        found.append(pull(Address("ada/net")))

    threads = [threading.Thread(target=fetch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1 and load(found[0])
    assert [path.name for path in found[0].parents[1].iterdir()] == [commit]
