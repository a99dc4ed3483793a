"""Servers that answer as no Hub does, repositories that lack files, links: no more is read or written than meant."""

import gzip
import pickle

import pytest

from cifar100.evaluation import evaluate_run
from cifar100.hub import HubError, HubUnreachable, load
from cifar100.hub.address import Address
from cifar100.hub.download import fetch
from cifar100.hub.pull import pull


@pytest.mark.parametrize("name", ["config.json", "config.yaml", "model.safetensors"])
def test_a_repository_without_one_of_its_files_is_refused(hub, files, refused, name):
    left = {each: content for each, content in files.items() if each != name}
    hub.put("ada/net", left | {"pytorch_model.bin": pickle.dumps({"a": 1})})
    assert f"{name}: there is no such file" in refused()


def test_no_more_is_read_than_a_file_may_have(hub, files, refused):
    def endless(handler):
        handler.send_response(200)
        handler.send_header("X-Repo-Commit", commit)
        handler.send_header("ETag", '"x"')
        handler.end_headers()
        if handler.command != "HEAD":
            for _ in range(1000):
                handler.wfile.write(b" " * 2**16)
                hub.sent += 2**16
        handler.close_connection = True

    commit = hub.put("ada/net", files)
    hub.instead["config.json"] = endless
    assert "config.json has more than the 1048576 bytes" in refused()
    assert hub.sent < 20 * 2**20


def test_a_connection_that_the_server_has_closed_meanwhile_is_opened_again(hub, files):
    def hang_up_once(handler):
        del hub.instead["config.json"]
        handler.close_connection = True

    commit = hub.put("ada/net", files)
    hub.instead["config.json"] = hang_up_once
    assert fetch(Address("ada/net"), commit, "config.json", 2**20) == files["config.json"]


def test_what_is_declared_too_large_is_not_read(hub, files, refused):
    hub.put("ada/net", files)
    length = {"Content_Length": str(2**42)}
    hub.instead["model.safetensors"] = lambda handler: handler.answer(200, b"", **length)
    assert "model.safetensors has 4398046511104 bytes, more than the" in refused()


def test_what_comes_compressed_is_not_unpacked(hub, files, refused):
    hub.put("ada/net", files)
    hub.instead["config.yaml"] = lambda handler: handler.answer(
        200, gzip.compress(b" " * 2**25), Content_Encoding="gzip"
    )
    assert "comes compressed" in refused()


@pytest.mark.parametrize("commit", ["../../../evil", "a" * 39, "A" * 40, "refs/heads/main", ""])
def test_the_server_names_no_folder(hub, files, refused, commit):
    hub.put("ada/net", files)
    evil = {"X_Repo_Commit": commit, "ETag": '"../../../../evil"'}
    hub.instead["config.json"] = lambda handler: handler.answer(200, files["config.json"], **evil)
    refused((HubError, HubUnreachable))


def test_an_answer_that_is_cut_off_is_told(hub, files, refused):
    def cut(handler):
        handler.answer(200, b"{", Content_Length="1000")
        handler.close_connection = True

    hub.put("ada/net", files)
    hub.instead["config.yaml"] = cut
    assert "no answer from" in refused(HubUnreachable)


@pytest.mark.parametrize(
    ("data", "told"),
    [("_target_: torch.load\n  f: x", "no reader"), ("_target_: cifar100.data.digits.read_digits\n  a: {b: c}", "'a'")],
)
def test_data_of_a_pulled_record_is_checked_on_evaluation(hub, files, data, told):
    text = files["config.yaml"].decode()
    start, end = text.index("\ndata:"), text.index("\naugment:")
    hub.put("ada/net", files | {"config.yaml": f"{text[:start]}\ndata:\n  {data}{text[end:]}".encode()})
    with pytest.raises(ValueError, match=told):
        evaluate_run(pull(Address("ada/net")), latency=False)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_link_in_a_folder_is_not_followed(files, tmp_path, name):
    (tmp_path / "folder").mkdir()
    for each in ("config.json", "model.safetensors"):
        (tmp_path / "folder" / each).write_bytes(files[each])
    (tmp_path / "elsewhere").write_bytes((tmp_path / "folder" / name).read_bytes())
    (tmp_path / "folder" / name).unlink()
    (tmp_path / "folder" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="is a link"):
        load(tmp_path / "folder")
