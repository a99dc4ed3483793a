"""Learning rates against closed formulas."""

import math

import pytest
import torch
from torch import nn

from cifar100.optim.schedules import constant, cosine, linear, multistep, onecycle, step, wsd

FACTORIES = [constant, cosine, linear, multistep, onecycle, step, wsd]
STEPS, PER_EPOCH = 40, 4


def optimizer_of(*rates: float) -> torch.optim.Optimizer:
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": rate} for rate in rates]
    return torch.optim.SGD(groups, lr=rates[0])


def curve(factory, num_training_steps=STEPS, lr=0.1, **options) -> list[float]:
    """The learning rate of each step and what stands there after the last one."""
    optimizer = optimizer_of(lr)
    scheduler = factory(optimizer, num_training_steps, PER_EPOCH, **options)
    rates = []
    for _ in range(num_training_steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return [*rates, optimizer.param_groups[0]["lr"]]


def test_cosine():
    assert curve(cosine) == pytest.approx([0.05 * (1 + math.cos(math.pi * t / 40)) for t in range(41)], abs=1e-12)
    rates = curve(cosine, warmup_epochs=2, min_lr=0.01)
    assert rates[:8] == pytest.approx([0.1 * t / 8 for t in range(8)])
    assert rates[8:] == pytest.approx([0.01 + 0.045 * (1 + math.cos(math.pi * t / 32)) for t in range(33)])


def test_linear():
    assert curve(linear) == pytest.approx([0.1 * (1 - t / 40) for t in range(41)])
    assert curve(linear, warmup_epochs=0.5)[:3] == pytest.approx([0, 0.05, 0.1])


def test_constant():
    assert curve(constant) == [0.1] * 41
    assert curve(constant, warmup_epochs=1) == pytest.approx([0, 0.025, 0.05, 0.075] + [0.1] * 37)


def test_step():
    assert curve(step, step_epochs=3, gamma=0.5) == pytest.approx([0.1 * 0.5 ** (t // 12) for t in range(41)])
    assert curve(step, step_epochs=1.25, gamma=0.5, warmup_epochs=1)[:8] == pytest.approx(
        [0, 0.025, 0.05, 0.075, 0.1, 0.05, 0.05, 0.05]
    )
    assert curve(step) == [0.1] * 41


def test_multistep_changes_on_the_very_step():
    expected = [0.1] * 12 + [0.02] * 12 + [0.004] * 8 + [0.0008] * 9
    assert curve(multistep, milestones=[0.3, 0.6, 0.8], gamma=0.2) == pytest.approx(expected)
    steps = 200 * 391
    schedule = multistep(optimizer_of(1.0), steps, 391, milestones=[0.3, 0.6, 0.8], gamma=0.2).lr_lambdas[0]
    for epoch, before, after in ((60, 1.0, 0.2), (120, 0.2, 0.04), (160, 0.04, 0.008)):
        assert (schedule(epoch * 391 - 1), schedule(epoch * 391)) == pytest.approx((before, after))


@pytest.mark.parametrize(("steps", "pct_start"), [(40, 0.3), (40, 1.0), (40, 0.0), (7, 0.5), (2, 0.3)])
def test_onecycle_is_torch(steps, pct_start):
    optimizer = optimizer_of(0.1)
    options = {"pct_start": pct_start, "div_factor": 10, "final_div_factor": 100}
    reference = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.1, total_steps=steps, cycle_momentum=False, **options
    )
    expected = [reference.get_last_lr()[0]]
    for _ in range(steps - 1):
        optimizer.step()
        reference.step()
        expected.append(reference.get_last_lr()[0])
    assert curve(onecycle, steps, **options)[:-1] == pytest.approx(expected, abs=1e-12)


def test_onecycle_after_warmup():
    rates = curve(onecycle, warmup_epochs=2, div_factor=10)
    assert rates[:9] == pytest.approx([0.01 * t / 8 for t in range(9)])
    assert rates[8:] == pytest.approx(curve(onecycle, 32, div_factor=10))
    assert max(rates) == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize(
    ("decay_type", "decay"),
    [
        ("1-sqrt", lambda t: 1 - math.sqrt(t)),
        ("linear", lambda t: 1 - t),
        ("cosine", lambda t: (1 + math.cos(math.pi * t)) / 2),
    ],
)
def test_wsd(decay_type, decay):
    rates = curve(wsd, warmup_epochs=1, decay_fraction=0.25, decay_type=decay_type)
    assert rates[:5] == pytest.approx([0, 0.025, 0.05, 0.075, 0.1])
    assert rates[5:30] == [0.1] * 25
    assert rates[30:] == pytest.approx([0.1 * decay(t / 10) for t in range(11)])
    assert curve(wsd, min_lr=0.01)[-1] == pytest.approx(0.01)


@pytest.mark.parametrize("factory", FACTORIES)
@pytest.mark.parametrize("num_training_steps", [1, 2, 3])
def test_short_trainings(factory, num_training_steps):
    for warmup_epochs in (0, 0.25):
        rates = curve(factory, num_training_steps, warmup_epochs=warmup_epochs)
        assert all(math.isfinite(rate) and 0 <= rate <= 0.1 for rate in rates)
    assert curve(factory, num_training_steps)[0] > 0


@pytest.mark.parametrize("factory", FACTORIES)
def test_groups_keep_their_proportion(factory):
    optimizer = optimizer_of(0.1, 0.02)
    scheduler = factory(optimizer, STEPS, PER_EPOCH, warmup_epochs=1)
    for _ in range(STEPS):
        optimizer.step()
        scheduler.step()
        first, second = scheduler.get_last_lr()
        assert first == pytest.approx(5 * second)


@pytest.mark.parametrize("factory", FACTORIES)
def test_warmup_out_of_range_is_refused(factory):
    with pytest.raises(ValueError, match="warmup_epochs=11 is longer than the training; use at most warmup_epochs=10"):
        curve(factory, warmup_epochs=11)
    for value in (-1, float("inf"), "two", None):
        with pytest.raises(ValueError, match="warmup_epochs=.* must be a finite number >= 0"):
            curve(factory, warmup_epochs=value)
    with pytest.raises(ValueError, match="num_training_steps=0 must be >= 1"):
        curve(factory, 0)
    if factory is not wsd:  # whose decay needs room too
        assert curve(factory, warmup_epochs=10)[1] > 0


@pytest.mark.parametrize(
    ("factory", "option", "message"),
    [
        (cosine, {"min_lr": 0.2}, "min_lr=0.2 must be a finite number >= 0 and <= 0.1"),
        (cosine, {"min_lr": -1}, "min_lr=-1 must be"),
        (step, {"gamma": 0}, "gamma=0 must be a finite number > 0 and <= 1"),
        (step, {"gamma": 10}, "gamma=10 must be"),
        (step, {"step_epochs": 0}, "step_epochs=0 must be a finite number > 0"),
        (multistep, {"gamma": -0.1}, "gamma=-0.1 must be"),
        (
            multistep,
            {"milestones": [82, 123]},
            r"milestones=\[82, 123\] must lie between 0 and 1; use rising",
        ),
        (multistep, {"milestones": [0.75, 0.5]}, "must rise"),
        (multistep, {"milestones": [0.5, 0.5]}, "must rise"),
        (multistep, {"milestones": 0.5}, "milestones=0.5 must be a list"),
        (multistep, {"milestones": ["half"]}, "must lie between 0 and 1"),
        (onecycle, {"pct_start": 1.5}, "pct_start=1.5 must be a finite number >= 0 and <= 1"),
        (onecycle, {"div_factor": 0}, "div_factor=0 must be a finite number >= 1"),
        (onecycle, {"final_div_factor": 0.5}, "final_div_factor=0.5 must be"),
        (wsd, {"decay_fraction": 2}, "decay_fraction=2 must be a finite number >= 0 and <= 1"),
        (wsd, {"decay_type": "sqrt"}, "decay_type='sqrt' is unknown; use one of 1-sqrt"),
        (wsd, {"decay_fraction": 0.5, "warmup_epochs": 6}, "use at most decay_fraction=0.4"),
        (wsd, {"min_lr": 1}, "min_lr=1 must be"),
    ],
)
def test_bad_options_are_refused_in_one_line(factory, option, message):
    with pytest.raises(ValueError, match=message) as error:
        curve(factory, **option)
    assert "\n" not in str(error.value)
