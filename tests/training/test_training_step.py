"""One optimizer step against gradients written out by hand."""

from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from cifar100.base.errors import Diverged
from cifar100.data.batch import Batch
from cifar100.metrics import Totals
from cifar100.training.faults import BUNCH, LossWatch
from cifar100.training.loop import Loop
from cifar100.training.network import GRAPHS, Compiled, MovingAverage, StochasticAverage, compiled
from cifar100.training.state import State


@pytest.fixture
def accelerator() -> Accelerator:
    from accelerate.state import AcceleratorState, PartialState

    AcceleratorState._reset_state()
    PartialState._reset_state()
    return Accelerator(cpu=True)


def batch(count: int, step_size: int | None = None, mixed: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(count)
    images = torch.randn(count, 3, 4, 4, generator=generator)
    labels = torch.randint(5, (count,), generator=generator)
    targets = torch.rand(count, 5, generator=generator).softmax(1) if mixed else labels
    return Batch(images, targets, labels, step_size or count)


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(48, 8), nn.GELU(), nn.Linear(8, 5))


def make_loop(model, accelerator, loss=None, lr=0.1, **options) -> Loop:
    """A loop with all that a step needs."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    scheduler = torch.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=2)
    fields = {"num_train_epochs": 1, "max_grad_norm": 0.0, "torch_compile": False, "per_device_train_batch_size": 8}
    fields |= {"per_device_eval_batch_size": 8, "max_steps": -1, "save_steps": 0}
    fields |= {"gradient_accumulation_steps": 1}
    arguments = SimpleNamespace(**fields | options)
    loss = loss or nn.CrossEntropyLoss()
    return Loop(None, State(model, optimizer, scheduler), None, None, loss, accelerator, arguments, seed=0)


def weights(model: nn.Module) -> torch.Tensor:
    return torch.cat([each.detach().flatten() for each in model.parameters()])


@pytest.mark.parametrize("mixed", [False, True])
def test_uneven_micro_batches_are_one_batch(mixed, accelerator):
    """The mean over all images, not the mean of the micro-batches' means."""
    whole, model, parts = batch(24, mixed=mixed), network(), []
    for start, end in ((0, 11), (11, 19), (19, 24)):
        parts.append(Batch(whole.images[start:end], whole.targets[start:end], whole.labels[start:end], 24))
    totals = Totals()
    loop = make_loop(model, accelerator)
    lr = loop.optimizer.param_groups[0]["lr"]
    loop.take_step(parts, totals, epoch=1, step=1)

    expected = network()
    loss = nn.functional.cross_entropy(expected(whole.images), whole.targets)
    loss.backward()
    with torch.no_grad():
        for each in expected.parameters():
            each -= lr * each.grad
    torch.testing.assert_close(weights(model), weights(expected), rtol=0, atol=1e-7)
    assert totals.results()["loss"] == pytest.approx(loss.item(), rel=1e-6)
    assert totals.results()["n"] == 24
    assert all(each.grad is None for each in model.parameters())
    assert loop.state.scheduler.last_epoch == 1


def test_clips_the_whole_steps_gradient(accelerator):
    model, limit = network(), 1e-3
    before, loop = weights(model), make_loop(model, accelerator, max_grad_norm=1e-3)
    lr = loop.optimizer.param_groups[0]["lr"]
    loop.take_step([batch(6, 10), batch(4, 10)], Totals(), epoch=1, step=1)
    assert (weights(model) - before).norm().item() == pytest.approx(lr * limit, rel=1e-3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_loss_that_is_not_finite_stops_before_the_weights_change(value, accelerator):
    model = network()
    loop = make_loop(model, accelerator, lambda logits, targets: logits.sum() * 0 + value, lr=0.25)
    before = weights(model)
    with pytest.raises(Diverged) as diverged:
        loop.take_step([batch(4)], Totals(), epoch=3, step=17)
    message = str(diverged.value)
    assert f"{value}" in message and "epoch 3, step 17" in message and "0.125" in message and "\n" not in message
    assert torch.equal(weights(model), before)


class OnGpu(torch.Tensor):
    """A number that says it lies on a GPU."""

    device = torch.device("cuda")


def test_on_a_gpu_losses_are_looked_at_in_bunches(accelerator):
    """And the first bad one of a bunch is named."""
    watch = LossWatch(accelerator)
    losses = [torch.tensor(1.0 if step < 5 else float("nan")).as_subclass(OnGpu) for step in range(1, BUNCH + 1)]
    for step, loss in enumerate(losses[:-1], 1):
        watch.note(loss, epoch=2, step=step, lr=0.5)
    with pytest.raises(Diverged, match="epoch 2, step 5,"):
        watch.note(losses[-1], epoch=2, step=BUNCH, lr=0.5)


def test_compiled_only_where_asked(accelerator):
    model = network()
    assert make_loop(model, accelerator).forward is model
    assert isinstance(make_loop(model, accelerator, torch_compile=True).forward, Compiled)


@pytest.mark.parametrize(
    ("device", "processes", "accumulation", "switch", "options"),
    [
        ("cuda", 1, 1, None, GRAPHS),
        ("cuda", 1, 1, "0", None),
        ("cuda", 1, 2, None, None),
        ("cuda", 2, 1, None, None),
        ("cpu", 1, 1, None, None),
    ],
)
def test_graphs_on_one_gpu_without_accumulation(device, processes, accumulation, switch, options, monkeypatch):
    passed = []
    monkeypatch.setattr(torch, "compile", lambda model, **given: passed.append(given["options"]))
    if switch is not None:
        monkeypatch.setenv("CIFAR100_CUDA_GRAPHS", switch)
    arguments = SimpleNamespace(torch_compile=True, gradient_accumulation_steps=accumulation)
    compiled(network(), 8, arguments, SimpleNamespace(device=torch.device(device), num_processes=processes))
    assert passed == [options]


def test_the_compiler_knows_what_a_gpu_gets():
    Compiled(network(), 8, graphs=True)
    with pytest.raises(RuntimeError, match="unknown_option"):
        torch.compile(network(), options=GRAPHS | {"unknown_option": True})


def test_the_odd_last_batch_makes_no_graph(accelerator, monkeypatch, caplog):
    """Nor does any other size than the full one, and each network's first compilation is announced."""
    compile, graphs = torch.compile, []
    monkeypatch.setattr(torch, "compile", lambda model, **options: compile(model, backend=count, **options))

    def count(graph, inputs):
        graphs.append(graph)
        return graph

    loop = make_loop(network(), accelerator, torch_compile=True)
    with caplog.at_level("INFO"):
        for size in (8, 8, 5, 8, 3):
            loop.take_step([batch(size)], Totals(), epoch=1, step=1)
    assert len(graphs) == 1
    assert [each for each in caplog.messages if "compiling" in each] == caplog.messages[:1]
    assert "the first time" in caplog.messages[0]


def test_the_moving_average_is_one():
    model = nn.BatchNorm1d(1)
    average = MovingAverage(model, 0.75)
    values = [2.0, 4.0, -8.0]
    for value in values:
        with torch.no_grad():
            model.weight.fill_(value)
            model.running_mean.fill_(10 * value)
        average.update_parameters(model)
    # the first update copies
    assert average.module.weight.item() == 0.75 * (0.75 * 2 + 0.25 * 4) + 0.25 * -8
    assert average.module.running_mean.item() == -80
    assert not any(each.requires_grad for each in average.parameters())
    for wrong in (0, 1, -0.5, 2, float("nan"), True, "0.9"):
        with pytest.raises(ValueError, match="ema_decay"):
            MovingAverage(model, wrong)
    with pytest.raises(ValueError, match="ema_warmup"):
        MovingAverage(model, 0.9, "yes")


def test_the_moving_average_is_bitwise_torchs():
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8, 4))
    ours, theirs = MovingAverage(model, 0.9), AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.9))
    for step in range(5):
        torch.manual_seed(step)
        for tensor in [*model.parameters(), model[1].running_mean]:
            tensor.data.normal_()
        ours.update_parameters(model)
        theirs.update_parameters(model)
    for name, value in theirs.state_dict().items():
        assert torch.equal(ours.state_dict()[name], value), name


def test_a_warm_moving_average_follows_closely_at_first():
    model = nn.Linear(1, 1, bias=False)
    average, expected = MovingAverage(model, 0.9, warmup=True), None
    for count, value in enumerate([1.0, 3.0, -2.0, 5.0]):
        model.weight.data.fill_(value)
        average.update_parameters(model)
        decay = min(0.9, (1 + count) / (10 + count))
        expected = value if expected is None else decay * expected + (1 - decay) * value
        assert average.module.weight.item() == pytest.approx(expected, rel=1e-6)


def test_the_stochastic_average_is_the_mean_of_the_epochs_with_its_own_statistics():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.BatchNorm1d(1)).train()
    average = StochasticAverage(model, start=2, epochs=4)
    batches = [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [7.0]])]
    for epoch, weight in enumerate([9.0, 1.0, 3.0, 8.0], 1):
        with torch.no_grad():
            model[0].weight.fill_(weight)
            model[1].running_mean.fill_(weight)
        average.take_epoch(model, epoch, batches)
        mean = {1: 9.0, 2: 1.0, 3: 2.0, 4: 4.0}[epoch]
        assert average.module[0].weight.item() == mean
        # A mean of two weights and more sees images of its own: their mean is 4, a batch's unbiased variance is 2.
        assert average.module[1].running_mean.item() == (weight if epoch < 3 else 4 * mean)
        if epoch > 2:
            assert average.module[1].running_var.item() == pytest.approx(2 * mean**2)
    assert model[1].running_mean.item() == 8.0, "the network itself keeps its own"
    for wrong in (0, 5, True, 1.5, "2"):
        with pytest.raises(ValueError, match="swa_start"):
            StochasticAverage(model, wrong, 4)
