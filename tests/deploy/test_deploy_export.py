"""Export and INT8 of recorded runs: the logits are the network's, and what is told of them is true."""

import importlib.util
import io
import json

import pytest
import torch

from cifar100.base.errors import UserError
from cifar100.deploy import extra
from cifar100.deploy.export import check_agreement, export_network, metadata
from cifar100.deploy.extra import require
from cifar100.deploy.side_by_side import side_by_side
from cifar100.record import find_runs

TINY = ("data=digits", "data.val_size=200", "model.depths=[1,1]", "model.widths=[8,16]", "trainer.num_train_epochs=1")
ABOUT = metadata(class_names=["a", "b, c"], mean=[0.5], std=[0.25], data="two", epoch=None)


def test_a_run_is_exported_and_quantised_as_typed(typed):
    assert typed("train", *TINY).status == 0
    for command in (["export"], ["export", "format=torch_export"], ["quantize", "images=64", "repeats=10"]):
        ended = typed(*command, "run_dir=multirun/default")
        assert ended.status == 0, ended.err
    (run,) = find_runs("multirun/default")
    import onnx

    model = onnx.load_from_string(run.read_bytes("deploy/model.onnx"))
    told = {each.key: each.value for each in model.metadata_props}
    assert json.loads(told["class_names"]) == [str(digit) for digit in range(10)] and told["data"] == "digits"
    assert len(json.loads(told["mean"])) == len(json.loads(told["std"])) == 1
    exported = run.read_json("deploy/export.json")
    assert exported.keys() == {"onnx", "torch_export"} and exported["onnx"]["largest_difference"] < 1e-3
    found = run.read_json("deploy/quantization.json")
    paired, n = found["difference"], found["float"]["n"]
    counted = (paired["int8_only"] - paired["float_only"]) / n
    assert (
        paired["top1"]
        == pytest.approx(counted)
        == pytest.approx(found["int8"]["test/top1"] - found["float"]["test/top1"])
    )
    assert found["loses_more_than_a_point"] == (paired["top1"] < -0.01)
    assert found["layers"]["int8"] and found["calibration"]["split"] == "train"
    assert [each["batch_size"] for each in found["latency"]] == [1, 64]
    weights = {
        each.name: each.data_type
        for each in onnx.load_from_string(run.read_bytes("deploy/model_int8.onnx")).graph.initializer
    }
    assert onnx.TensorProto.INT8 in weights.values()


@pytest.mark.parametrize(
    "arguments", [["quantize", "calibration=best"], ["quantize", "images=0"], ["export", "format=onxx"], ["export"]]
)
def test_mistakes_are_one_line(typed, arguments):
    ended = typed(*arguments, *([] if arguments == ["export"] else ["run_dir=nowhere"]))
    assert ended.status == 2 and len(ended.err.strip().splitlines()) == 1


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(extra, "find_spec", lambda name: None if "onnx" in name else importlib.util.find_spec(name))
    with pytest.raises(UserError, match=r"needs onnx, onnxruntime; pip install 'cifar100-lab\[deploy\]'"):
        require("INT8", "onnx", "onnxruntime")


def test_other_logits_are_refused():
    network, other = torch.nn.Flatten(), torch.nn.Flatten()
    network.in_channels, network.resolution = 1, 4
    content = export_network(network, "torch_export", ABOUT)
    extra_files = {"metadata.json": ""}
    torch.export.load(io.BytesIO(content), extra_files=extra_files)
    assert json.loads(extra_files["metadata.json"]) == dict(ABOUT)
    images = torch.randn(16, 1, 4, 4)
    assert check_agreement(network, content, "torch_export", images) == 0
    other.forward = lambda images: images.flatten(1) * 1.1
    with pytest.raises(UserError, match="logits differ"):
        check_agreement(other, content, "torch_export", images)


def test_turns_are_counted_and_the_slower_is_slower():
    def slow(images):
        return (images.repeat(400, 1, 1, 1) @ images.mT).exp().sum()

    found = side_by_side(slow, torch.clone, (1, 32, 32), batch_size=1, repeats=9)
    assert found.repeats == 9 and found.speedup > 2 and found.first_s > found.second_s
