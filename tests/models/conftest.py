"""How the tests of architectures compose, build and try networks.

A test argument named ``<group>_choice`` takes every choice that conf/ has for that group: a new YAML is tested unasked.
"""

import re
from collections.abc import Callable

import pytest
import torch
from omegaconf import DictConfig
from torch import Tensor, nn

from cifar100.config import CONF, MODEL_GROUPS, build, build_network, check_typed_choices

CURE = re.compile(r"\b(use|choose|give|leave|add|must|set|make|take|lower|raise)\b")
TIGHT = {"rtol": 1e-10, "atol": 1e-10}
OPTION = re.compile(r"\b[a-z_@]+(\.[a-z_]+)*=\S|\b(model|data|block|stage|mixer|stem)\.[a-z_]+")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    for group in MODEL_GROUPS:
        if f"{group}_choice" in metafunc.fixturenames:
            choices = sorted(file.stem for file in (CONF / group).glob("*.yaml"))
            metafunc.parametrize(f"{group}_choice", choices)


@pytest.fixture(scope="session")
def make_network(compose: Callable[..., DictConfig]) -> Callable[..., nn.Module]:
    """Called as (*overrides): the network that they compose, the same weights each time; typed choices are checked."""

    def make(*overrides: str) -> nn.Module:
        config = compose(*overrides)
        check_typed_choices(config, overrides)
        torch.manual_seed(0)
        return build_network(config, overrides)

    return make


@pytest.fixture(scope="session")
def slim() -> Callable[[str], list[str]]:
    """Called as (recipe): the override that makes a wide recipe narrow, where a test is not about its width."""
    return lambda recipe: ["model.width_multiplier=0.25"] if recipe in ("resnet18", "resnet34", "resnet50") else []


@pytest.fixture(scope="session")
def make_port(compose: Callable[..., DictConfig]) -> Callable[..., Callable[..., nn.Module]]:
    """Called as (group, *overrides): the factory that stands in the group after composing them."""

    def make(group: str, *overrides: str) -> Callable[..., nn.Module]:
        torch.manual_seed(0)
        return build(compose(*overrides)[group])

    return make


@pytest.fixture(scope="session")
def check_step() -> Callable[[nn.Module], Tensor]:
    """Called as (network): takes one optimizer step on two random images; the loss must be finite, every parameter get
    a finite gradient and stay finite. Returns the loss."""

    def check(network: nn.Module) -> Tensor:
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(2, network.in_channels, network.resolution, network.resolution, generator=generator)
        labels = torch.tensor([0, network.num_classes - 1])
        optimizer = torch.optim.SGD(network.train().parameters(), lr=1e-4)
        loss = nn.functional.cross_entropy(network(images), labels)
        loss.backward()
        finite_gradients(network)
        optimizer.step()
        assert loss.isfinite() and all(each.isfinite().all() for each in network.parameters()), loss.item()
        return loss.detach()

    return check


@pytest.fixture(scope="session")
def check_map() -> Callable[..., None]:
    """Called as (module, in shape, out shape): the module maps the one to the other, and a gradient arrives at every
    parameter and at the input. In evaluation a second call repeats the first, no image sees another, and the result is
    nearly the same in double precision, and in bfloat16 on channels_last."""

    def check(module: nn.Module, in_shape: tuple[int, ...], out_shape: tuple[int, ...]) -> None:
        x = torch.randn(in_shape, requires_grad=True)
        out = module.train()(x)
        assert out.shape == out_shape, f"{in_shape} became {tuple(out.shape)}, not {out_shape}"
        assert out.dtype == x.dtype
        (out * torch.randn(out_shape)).sum().backward()
        finite_gradients(module)
        assert x.grad is not None and x.grad.isfinite().all()
        with torch.no_grad():
            check_evaluation(module.eval(), x.detach())

    return check


@pytest.fixture(scope="session")
def check_gradients() -> Callable[[nn.Module], None]:
    """Called as (module) after a backward pass: every parameter has a finite gradient."""
    return finite_gradients


@pytest.fixture(scope="session")
def check_agreement() -> Callable[..., None]:
    """Called as (ours, theirs, x): see :func:`agree`."""
    return agree


@pytest.fixture(scope="session")
def check_refusal() -> Callable[[ValueError], None]:
    """Called as (error): its message is one line that names an option and says what to do."""

    def check(error: ValueError) -> None:
        text = str(error)
        assert "\n" not in text and len(text) < 500, text
        assert OPTION.search(text), f"names no option: {text}"
        assert CURE.search(text), f"names no cure: {text}"

    return check


def check_evaluation(module: nn.Module, x: Tensor) -> None:
    out = module(x)
    assert torch.equal(module(x), out), "evaluation is not deterministic"
    torch.testing.assert_close(module(x[:1]), out[:1], msg=lambda text: f"images see each other: {text}")
    with torch.autocast("cpu", torch.bfloat16):
        rounded = module(x.contiguous(memory_format=torch.channels_last)).float()
    error = (rounded - out).norm() / out.norm()
    assert error < 0.1, f"relative error {error:.3f} in bfloat16"
    double = module.double()(x.double())
    assert double.dtype == torch.float64
    torch.testing.assert_close(double.float(), out, rtol=1e-3, atol=1e-4)
    module.float()


def finite_gradients(module: nn.Module) -> None:
    without = [name for name, parameter in module.named_parameters() if parameter.grad is None]
    assert not without, f"no gradient in {without}"
    broken = [name for name, parameter in module.named_parameters() if not parameter.grad.isfinite().all()]
    assert not broken, f"gradient not finite in {broken}"


def agree(
    ours: nn.Module,
    theirs: Callable[[Tensor], Tensor],
    x: Tensor,
    rename: Callable[[str], str] | dict[str, str] | None = None,
    *,
    convert: Callable[[str, Tensor, Tensor], Tensor] = lambda name, value, like: value.reshape(like.shape),
    training: bool = True,
    into: Callable[[Tensor], Tensor] = lambda x: x,
    back: Callable[[Tensor], Tensor] = lambda x: x,
) -> None:
    """With the same weights both give the same output, running statistics and gradients in float64, to 1e-10.

    Args:
        theirs: a module, whose weights ours gets, or a function.
        rename: our name of a tensor of theirs, or of the modules that hold them; else both define them in one order.
        convert: their tensor of that name in the form of ours.
        into, back: our input in their layout, their output in ours.
    """
    ours.double().train(training)
    pairs = (
        copy_weights(ours, theirs.double().train(training), rename, convert) if isinstance(theirs, nn.Module) else {}
    )
    inputs = [x.clone().requires_grad_(), x.clone(memory_format=torch.contiguous_format).requires_grad_()]
    outs = [ours(inputs[0]), back(theirs(into(inputs[1])))]
    torch.testing.assert_close(*outs, **TIGHT)
    upstream = torch.randn_like(outs[1])
    for out in outs:
        (out * upstream).sum().backward()
    torch.testing.assert_close(*(each.grad for each in inputs), **TIGHT)
    for name, other in pairs.items():
        value, mine = theirs.state_dict(keep_vars=True)[name], ours.state_dict(keep_vars=True)[other]
        torch.testing.assert_close(mine.data, convert(name, value.data, mine), **TIGHT)
        if isinstance(value, nn.Parameter):
            assert value.grad.any(), f"no gradient reached {name}, so the comparison is empty"
            torch.testing.assert_close(mine.grad, convert(name, value.grad, mine), **TIGHT)


def copy_weights(ours: nn.Module, theirs: nn.Module, rename, convert) -> dict[str, str]:
    """Gives ours the weights and statistics of theirs; those that start constant, where a wrong order or a missing one
    would not show, are drawn at random before. Returns our name for each of theirs."""
    mine, other = ({n: v for n, v in each.state_dict().items() if v.is_floating_point()} for each in (ours, theirs))
    if isinstance(rename, dict):
        pairs = {name: f"{rename[name.rpartition('.')[0]]}.{name.rpartition('.')[2]}" for name in other}
    else:
        pairs = {name: rename(name) for name in other} if rename else dict(zip(other, mine, strict=True))
    assert sorted(pairs.values()) == sorted(mine)
    with torch.no_grad():
        for name, value in other.items():
            if value.min() == value.max():
                value.uniform_(0.5, 1.5) if value.flatten()[0] == 1 else value.normal_(0, 0.3)
            mine[pairs[name]].copy_(convert(name, value, mine[pairs[name]]))
    return pairs
