"""How much faster large depthwise kernels train on a CPU than by PyTorch's gradients: python benchmarks/depthwise.py

    python benchmarks/depthwise.py layers                            # single layers, bfloat16 and float32
    python benchmarks/depthwise.py rows                              # training steps of whole rows, bfloat16
    python benchmarks/depthwise.py rows main_3_convnext --compile    # the same network through torch.compile
    python benchmarks/depthwise.py layers --everywhere               # also where the fast form is left alone

Both forms run in turn, round after round, in one process with one thread: the very same modules and weights, with
cifar100/models/depthwise_conv.py on and off. Times are processor time, medians over rounds; the ratio is the median of
the rounds' ratios, above 1 where ours is faster. An error is the weight gradient's largest, against float64, over the
largest number in it.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from hydra import compose, initialize_config_dir
from torch import Tensor, nn

from cifar100.config import CONF, build, register_resolvers
from cifar100.models import depthwise_conv

# batch, channels, resolution, kernel height and width, dilation
LAYERS = [
    (128, 64, 16, 5, 5, 1),
    (128, 64, 16, 7, 7, 1),
    (128, 24, 32, 7, 7, 1),
    (128, 48, 16, 7, 7, 1),
    (128, 96, 8, 7, 7, 1),
    (128, 64, 16, 1, 7, 1),
    (128, 64, 16, 7, 1, 1),
    (128, 64, 16, 1, 11, 1),
    (128, 64, 16, 11, 1, 1),
    (128, 64, 16, 1, 21, 1),
    (128, 64, 16, 21, 1, 1),
    (128, 64, 16, 7, 7, 3),
    (128, 64, 8, 7, 7, 3),
    (128, 64, 16, 3, 3, 1),
]
ROWS = ["main_3_convnext", "future_1_segnext", "future_2_lsknet", "future_3_hornet", "large_kernel_5_split357"]
PRECISIONS = {"bf16": torch.bfloat16, "float32": torch.float32}


def in_turn(step: Callable[[], float], rounds: int) -> tuple[float, float, float]:
    """Milliseconds of ``step`` by PyTorch's gradients and by ours, and the median ratio."""
    seconds: list[list[float]] = [[], []]
    for index in range(-2, rounds):
        for ours in (0, 1) if index % 2 else (1, 0):
            depthwise_conv.ENABLED = bool(ours)
            taken = step()
            seconds[ours] += [taken] * (index >= 0)
    ratio = statistics.median(theirs / ours for theirs, ours in zip(*seconds, strict=True))
    return *(1000 * statistics.median(each) for each in seconds), ratio


def channels_last(*size: int) -> Tensor:
    return torch.randn(size).contiguous(memory_format=torch.channels_last)


def layer(case: tuple[int, ...], dtype: torch.dtype, rounds: int) -> tuple[float, ...]:
    """Milliseconds of both, forward and backward, their ratio, and the weight gradient's error of both."""
    batch, channels, resolution, height, width, dilation = case
    padding = (dilation * (height // 2), dilation * (width // 2))
    options = {"padding": padding, "dilation": dilation, "groups": channels}
    conv = depthwise_conv.DepthwiseConv2d(channels, channels, (height, width), **options).to(dtype)
    x, upstream = (channels_last(batch, channels, resolution, resolution).to(dtype) for _ in range(2))
    x.requires_grad_()
    errors: dict[bool, float] = {}
    exact = weight_gradient(x, upstream, conv)

    def step() -> float:
        conv.zero_grad()
        x.grad = None
        start = time.process_time()
        conv(x).backward(upstream)
        seconds = time.process_time() - start
        errors[depthwise_conv.ENABLED] = float((conv.weight.grad.double() - exact).abs().max() / exact.abs().max())
        return seconds

    return *in_turn(step, rounds), errors[False], errors[True]


def weight_gradient(x: Tensor, upstream: Tensor, conv: nn.Conv2d) -> Tensor:
    """In float64."""
    weight = conv.weight.detach().double().requires_grad_()
    out = F.conv2d(x.detach().double(), weight, None, 1, conv.padding, conv.dilation, conv.groups)
    out.backward(upstream.double())
    return weight.grad


def row(name: str, options: argparse.Namespace) -> tuple[float, float, float]:
    """Milliseconds of a training step of a row's network, SGD with momentum, by both, and their ratio."""
    torch.manual_seed(0)
    network = build(compose("train", [f"row={name}"]).model).to(memory_format=torch.channels_last).train()
    optimizer = torch.optim.SGD(network.parameters(), 1e-3, momentum=0.9)
    forward = torch.compile(network, dynamic=False, fullgraph=True) if options.compile else network
    images, labels = channels_last(options.batch, 3, 32, 32), torch.randint(100, (options.batch,))

    def step() -> float:
        start = time.process_time()
        with torch.autocast("cpu", torch.bfloat16, enabled=options.precision != "float32"):
            logits = forward(images)
        F.cross_entropy(logits.float(), labels).backward()
        optimizer.step()
        optimizer.zero_grad()
        return time.process_time() - start

    return in_turn(step, options.rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("subject", choices=["layers", "rows"])
    parser.add_argument("rows", nargs="*", metavar="row", help=f"files of conf/row (default: {' '.join(ROWS)})")
    parser.add_argument("--precision", choices=sorted(PRECISIONS), help="default: both of layers, bf16 of rows")
    parser.add_argument("--compile", action="store_true", help="rows through torch.compile")
    parser.add_argument("--everywhere", action="store_true", help="ours also where it is not the faster")
    parser.add_argument("--rounds", type=int, default=9, help="counted rounds, a step of each in each (default: 9)")
    parser.add_argument("--batch", type=int, default=64, help="images per step of rows (default: 64)")
    options = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    if options.everywhere:
        depthwise_conv._is_faster = lambda x, weight: True
    if options.subject == "layers":
        for precision in [options.precision] if options.precision else PRECISIONS:
            print(f"| {precision}: n, channels, map, kernel | PyTorch ms | ours ms | ratio | error, PyTorch | ours |")
            print("|---|---|---|---|---|---|")
            for case in LAYERS:
                batch, channels, size, height, width, dilation = case
                name = f"{batch}, {channels}, {size}x{size}, {height}x{width}" + f", dilation {dilation}" * (
                    dilation > 1
                )
                theirs, ours, ratio, *errors = layer(case, PRECISIONS[precision], options.rounds)
                errors = " | ".join(f"{error:.1e}" for error in errors)
                print(f"| {name} | {theirs:.1f} | {ours:.1f} | {ratio:.2f} | {errors} |", flush=True)
        return
    register_resolvers()
    print("| row | PyTorch ms a step | ours ms a step | ratio |\n|---|---|---|---|")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for name in options.rows or ROWS:
            print("| {} | {:.0f} | {:.0f} | {:.2f} |".format(name, *row(name, options)), flush=True)


if __name__ == "__main__":
    main()
