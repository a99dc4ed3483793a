"""How fast each recipe's blocks are beside timm's or torchvision's: python benchmarks/blocks.py [recipe ...]

    python benchmarks/blocks.py                                         # every recipe, float32, eager
    python benchmarks/blocks.py convnext mlp_mixer --precision bf16 --compile

Builds a recipe's network twice, once with its own stages and once with stages of timm's or torchvision's blocks, checks
that both hold as many parameters and do as many multiplications, and times forward and backward of the stages in turn,
round after round, each on the same channels_last input. Prints images per second of both and the median of the rounds'
ratios; 0.95 and more is wanted. One thread, timed by the processor time that it got, so that other programs matter
little. Needs timm (pip install -e ".[test]"); what neither package has is marked.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from hydra import compose, initialize_config_dir
from timm.layers import BatchNormAct2d, LayerNorm, LayerNorm2d, RelPosBias, create_conv2d
from timm.models import convnext, cspnet, ghostnet, maxxvit, mlp_mixer, resnest, resnetv2
from timm.models.resnet import downsample_avg
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision.models import densenet, resnet

from cifar100.config import CONF, build, register_resolvers
from cifar100.models.shape import Shape

WANTED = 0.95
Stage = Callable[[Shape, int, Sequence[float]], nn.Module]


def stacked(block: Callable[[Shape, float], nn.Module]) -> Stage:
    """A stage of blocks of which the first changes the shape."""
    return lambda shape, depth, drop_paths: nn.Sequential(
        *map(block, [shape, *[shape.after()] * (depth - 1)], drop_paths)
    )


def resnet_block(shape: Shape, drop_path: float, kind: type = resnet.BasicBlock) -> nn.Module:
    conv = nn.Conv2d(shape.in_channels, shape.out_channels, 1, shape.stride, bias=False)
    shortcut = None if shape.constant else nn.Sequential(conv, nn.BatchNorm2d(shape.out_channels))
    return kind(shape.in_channels, shape.out_channels // kind.expansion, shape.stride, shortcut)


def preact_block(shape: Shape, drop_path: float) -> nn.Module:
    layers = {"conv_layer": create_conv2d, "norm_layer": BatchNormAct2d, "proj_layer": resnetv2.DownsampleConv}
    return resnetv2.PreActBasic(shape.in_channels, shape.out_channels, stride=shape.stride, **layers)


def resnest_block(shape: Shape, drop_path: float) -> nn.Module:
    shortcut = None if shape.constant else downsample_avg(shape.in_channels, shape.out_channels, 1, shape.stride)
    narrow = shape.out_channels // 4
    return resnest.ResNestBottleneck(shape.in_channels, narrow, shape.stride, shortcut, radix=2, avd=True)


def ghost_block(shape: Shape, drop_path: float) -> nn.Module:
    hidden = 3 * shape.in_channels
    return ghostnet.GhostBottleneck(shape.in_channels, hidden, shape.out_channels, stride=shape.stride, se_ratio=0.25)


def mbconv_block(shape: Shape, drop_path: float) -> nn.Module:
    options = {"cfg": maxxvit.MaxxVitConvCfg(attn_act_layer="relu"), "drop_path": drop_path}
    return maxxvit.MbConvBlock(shape.in_channels, shape.out_channels, shape.stride, **options)


def transformer_block(shape: Shape, drop_path: float) -> nn.Module:
    options = {"rel_pos_cls": partial(RelPosBias, (shape.out_resolution,) * 2), "drop_path": drop_path}
    return maxxvit.TransformerBlock2d(shape.in_channels, shape.out_channels, shape.stride, **options)


def convnext_stage(shape: Shape, depth: int, drop_paths: Sequence[float]) -> nn.Module:
    options = {"ls_init_value": 1e-6, "norm_layer": LayerNorm2d, "norm_layer_cl": LayerNorm}
    channels = shape.in_channels, shape.out_channels
    return convnext.ConvNeXtStage(*channels, 7, shape.stride, depth, drop_path_rates=list(drop_paths), **options)


class MixerStage(nn.Sequential):
    """timm's blocks map tokens; channels_last maps are tokens without a copy."""

    def __init__(self, shape: Shape, depth: int, drop_paths: Sequence[float]) -> None:
        tokens = shape.resolution**2
        super().__init__(*(mlp_mixer.MixerBlock(shape.out_channels, tokens, drop_path=rate) for rate in drop_paths))

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, x.shape[2:])


class CrossStage(cspnet.CrossStage):
    """timm's, less the convolution before the split, which the recipes lack, and a copy that ends channels_last."""

    def __init__(self, shape: Shape, depth: int, drop_paths: Sequence[float], *, block: Callable, **options) -> None:
        options = {"block_ratio": 0.5, "bottle_ratio": 0.5, "down_growth": True} | options
        options |= {"act_layer": nn.ReLU, "norm_layer": nn.BatchNorm2d}
        options["block_fn"] = lambda in_chs, out_chs, groups, **others: block(in_chs, out_chs, **others)
        super().__init__(shape.in_channels, shape.out_channels, shape.stride, 1, depth, **options)
        self.conv_exp = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        around, through = self.conv_down(x).split(self.expand_chs // 2, 1)
        return self.conv_transition(torch.cat([around, self.conv_transition_b(self.blocks(through))], 1))


def cross_dense_stage(shape: Shape, depth: int, drop_paths: Sequence[float]) -> nn.Module:
    """torchvision's dense block as the one block of timm's cross stage, with DenseNet's linear downsampling."""
    half = shape.out_channels // 2
    layers = densenet._DenseBlock(depth, half, bn_size=4, growth_rate=12, drop_rate=0.0)
    ratio = (half + 12 * depth) / shape.out_channels
    stage = CrossStage(shape, 1, drop_paths, block=lambda *_, **__: layers, block_ratio=ratio, avg_down=True)
    if shape.stride > 1:
        stage.conv_down[1].bn.act = nn.Identity()
    return stage


COUNTERPARTS: dict[str, Stage | list[Stage]] = {
    **{f"resnet{depth}": stacked(resnet_block) for depth in (20, 32, 44, 56, 110, 18, 34)},
    "resnet50": stacked(partial(resnet_block, kind=resnet.Bottleneck)),
    "wrn16_2": stacked(preact_block),
    "convnext": convnext_stage,
    "ghostnet": stacked(ghost_block),
    "csp_resnet20": partial(CrossStage, block=lambda in_chs, out_chs, **_: resnet.BasicBlock(in_chs, out_chs)),
    "csp_resnext20": partial(CrossStage, block=partial(cspnet.BottleneckBlock, groups=4)),
    "csp_densenet": cross_dense_stage,
    "resnest20": stacked(resnest_block),
    "mlp_mixer": MixerStage,
    "coatnet": [stacked(mbconv_block)] * 2 + [stacked(transformer_block)] * 2,
}


def stacks(recipe: str, batch: int) -> tuple[nn.Module, nn.Module, Tensor, Tensor]:
    """The recipe's stages, their counterpart, an input and a gradient; refuses two that do not do the same work."""
    config = compose("train", [f"model={recipe}"])
    networks = [build(config.model), build(config.model, stage=COUNTERPARTS[recipe])]
    ours, theirs = (network.stages.to(memory_format=torch.channels_last) for network in networks)
    images = torch.randn(batch, 3, networks[0].resolution, networks[0].resolution)
    x = networks[0].stem(images.contiguous(memory_format=torch.channels_last)).detach()
    work = []
    for stages in (ours, theirs):
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            shape = stages(x).shape
        work.append((sum(each.numel() for each in stages.parameters()), counter.get_total_flops(), shape))
    if work[0] != work[1]:
        raise RuntimeError(f"{recipe}: parameters, operations and output of ours and theirs differ: {work}")
    return ours, theirs, x.requires_grad_(), torch.randn(shape[:2])


def step(stages: nn.Module, x: Tensor, upstream: Tensor, bf16: bool) -> float:
    """Seconds of processor time that forward and backward take; the gradient comes as from average pooling."""
    stages.zero_grad()
    x.grad = None
    start = time.process_time()
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        out = stages(x)
    (out.float().mean((2, 3)) * upstream).sum().backward()
    return time.process_time() - start


def measure(recipe: str, options: argparse.Namespace) -> tuple[float, float, float]:
    """Images per second of ours and of theirs, and the ratio; medians of the rounds."""
    *both, x, upstream = stacks(recipe, options.batch)
    if options.compile:
        both = [torch.compile(stages, dynamic=False) for stages in both]
    seconds: list[list[float]] = [[], []]
    for index in range(-3, options.rounds):
        for which in (0, 1) if index % 2 else (1, 0):
            taken = step(both[which], x, upstream, options.precision == "bf16")
            seconds[which] += [taken] * (index >= 0)
    ratios = [theirs / ours for ours, theirs in zip(*seconds, strict=True)]
    return *(options.batch / statistics.median(each) for each in seconds), statistics.median(ratios)


def main() -> None:
    recipes = sorted(file.stem for file in (CONF / "model").glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recipes", nargs="*", metavar="recipe", help=f"of {', '.join(recipes)} (default: all)")
    parser.add_argument("--precision", choices=["float32", "bf16"], default="float32", help="default: float32")
    parser.add_argument("--compile", action="store_true", help="compile both by torch.compile")
    parser.add_argument("--rounds", type=int, default=21, help="counted rounds, a step of each in each (default: 21)")
    parser.add_argument("--batch", type=int, default=64, help="images per step (default: 64)")
    options = parser.parse_args()
    if unknown := set(options.recipes) - set(recipes):
        parser.error(f"no recipe {', '.join(sorted(unknown))}; choose of {', '.join(recipes)}")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    register_resolvers()
    print(f"{'recipe':14} {'ours':>8} {'theirs':>8}  ratio   images/s, {options.precision}, batch {options.batch}")
    with initialize_config_dir(str(CONF), version_base="1.3"):
        for recipe in options.recipes or recipes:
            if recipe not in COUNTERPARTS:
                print(f"{recipe:14} no counterpart in timm or torchvision")
                continue
            ours, theirs, ratio = measure(recipe, options)
            print(f"{recipe:14} {ours:8.0f} {theirs:8.0f}  {ratio:.3f}", "" if ratio >= WANTED else "low", flush=True)


if __name__ == "__main__":
    main()
