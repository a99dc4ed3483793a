"""Gradual pruning by magnitude: its schedule, its zeros in weights and averages, and that a cut run ends as a whole."""

import pytest
import torch
from torch import nn

from cifar100.record import RunDirectory
from cifar100.training.pruning import MagnitudePruning, prunable

# 437 images: five steps an epoch.
SHORT = ("trainer.num_train_epochs=4", "trainer.per_device_train_batch_size=96", "data.val_size=1000")
PRUNING = ("pruning=magnitude", "pruning.sparsity=0.8", "pruning.interval=2")


def finish(make_loop, counted, folder, *overrides, stop_after=None) -> int:
    from cifar100.base.errors import Interrupted

    for stops in range(100):
        loop = make_loop(folder, *SHORT, *PRUNING, *overrides)
        counted(loop, stop_after)
        try:
            loop.run()
            return stops
        except Interrupted:
            pass
    raise AssertionError("the run does not come to an end")


def zeros(tensors, prefix="model.") -> list[float]:
    """The share of zeros of each prunable weight of a checkpoint of the tiny network."""
    names = [name for name, tensor in tensors.items() if name.startswith(prefix) and tensor.ndim > 1]
    return [(tensors[name] == 0).float().mean().item() for name in names if ".stem." not in f".{name}"]


def test_the_schedule_is_equation_1():
    pruning = MagnitudePruning(200, 10, sparsity=0.9, begin=0.1, end=0.6, interval=10)
    for step in (0, 20, 30, 70, 120, 200):
        passed = min(max(step - 20, 0) / 100, 1)
        assert pruning.sparsity_after(step) == pytest.approx(0.9 + (0 - 0.9) * (1 - passed) ** 3)
    assert [pruning.is_complete(epoch) for epoch in (11, 12, 13)] == [False, True, True]


def test_the_smallest_weights_of_each_layer_go_and_never_return():
    torch.manual_seed(0)
    network = nn.Sequential(nn.Conv2d(4, 8, 3), nn.Conv2d(8, 8, 3, groups=8), nn.Linear(8, 5))
    pruning, before = MagnitudePruning(20, 5, sparsity=0.5, end=0.5, interval=4), None
    for done in range(20):
        with torch.no_grad(), pruning.around(done // 5 + 1, done % 5 + 1, network, network):
            if done == 9:  # the last pruning
                before = [weight.abs().clone() for weight in prunable(network)]
            if done > 9:
                for weight in network.parameters():
                    weight += 0.1
    assert len(prunable(network)) == 2 and (network[1].weight != 0).all(), "depthwise convolutions stay"
    for weight, sizes in zip(prunable(network), before, strict=True):
        gone = weight == 0
        assert gone.float().mean() == pytest.approx(0.5, abs=0.02)
        assert sizes[gone].max() <= sizes[~gone].min()


@pytest.mark.parametrize("overrides", [(), ("ema_decay=0.9", "augment=standard")], ids=["plain", "average"])
def test_a_cut_run_is_bitwise_the_whole_one_and_as_sparse_as_asked(
    overrides, make_loop, counted, contents_of, tmp_path
):
    finish(make_loop, counted, tmp_path / "whole", *overrides)
    assert finish(make_loop, counted, tmp_path / "cut", *overrides, stop_after=3) >= 4
    assert contents_of(tmp_path / "cut") == contents_of(tmp_path / "whole")
    record = RunDirectory(tmp_path / "whole")
    shares = [row["sparsity"] for row in record.metrics()]
    assert shares[0] < 0.75 and shares[1:] == [pytest.approx(0.8, abs=0.01)] * 3
    tensors, state = record.load_checkpoint("best")
    assert state["metrics"]["epoch"] >= 2, "no epoch is the best before the last pruning"
    assert zeros(tensors) == [pytest.approx(0.8, abs=0.02)] * len(zeros(tensors)) and zeros(tensors)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("pruning.sparsity=1.5", "> 0 and < 1"),
        ("pruning.begin=0.5", "above pruning.begin=0.5"),
        ("pruning.interval=0", "whole number >= 1"),
        ("pruning.begin=x", "pruning.begin='x' must be"),
    ],
)
def test_options_out_of_range_are_refused(override, message, make_loop, tmp_path):
    with pytest.raises(ValueError, match=message) as refused:
        make_loop(tmp_path, *SHORT, *PRUNING, override)
    assert "\n" not in str(refused.value)
