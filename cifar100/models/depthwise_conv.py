"""Depthwise convolutions with large kernels that train fast on CPUs."""

import os
from collections.abc import Sequence
from math import gcd

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# CIFAR100_FAST_DEPTHWISE=0 leaves every gradient to PyTorch's own kernels.
ENABLED = os.environ.get("CIFAR100_FAST_DEPTHWISE", "1") != "0"

_ELEMENTS = 2**17  # of one convolution of maps with gradients; half and twice as many are as fast, others slower
_AVX512 = torch.backends.cpu.get_cpu_capability() == "AVX512"
_AVX512_BF16 = _AVX512 and torch.cpu._is_avx512_bf16_supported()
_FAST_PADDING = 6  # of a dilated kernel; with more oneDNN's forward pass is 20 times as slow
_BLOCK = 16  # channels that oneDNN's kernels take at once


class DepthwiseConv2d(nn.Conv2d):
    """:class:`torch.nn.Conv2d` that trains by :func:`depthwise_conv2d` where it is a depthwise convolution that keeps
    its map. Arguments, parameters and their names are those of ``nn.Conv2d``."""

    def forward(self, x: Tensor) -> Tensor:
        if self._is_depthwise and self._keeps_map:
            return depthwise_conv2d(x, self.weight, self.bias, self.dilation, training=self.training)
        return super().forward(x)

    @property
    def _is_depthwise(self) -> bool:
        return self.groups == self.in_channels == self.out_channels

    @property
    def _keeps_map(self) -> bool:
        pads = tuple(spacing * (taps // 2) for spacing, taps in zip(self.dilation, self.kernel_size, strict=True))
        odd = all(taps % 2 for taps in self.kernel_size)
        return odd and self.stride == (1, 1) and self.padding == pads and self.padding_mode == "zeros"


def depthwise_conv2d(
    x: Tensor, weight: Tensor, bias: Tensor | None, dilation: tuple[int, int], *, training: bool
) -> Tensor:
    """The depthwise convolution that keeps its map, with gradients made of forward convolutions where those are faster.

    oneDNN computes the forward pass fast but, for kernels of 5 and more, not the gradients: the weight gradient in
    bfloat16 takes thirty times as long. Both are convolutions, too, equal to PyTorch's gradients to rounding:

    - the input gradient is that of the output gradient with the kernel turned by 180 degrees;
    - the weight gradient is, for each image and channel, that of the map with its output gradient as the kernel and the
      dilation as the stride, summed over images. Some images at a time lie beside each other as its channels.

    Of widely dilated kernels the forward pass is slow, too. As only pixels that are the dilation apart meet in it, it
    becomes one without dilation when such pixels are images of their own.

    The sum over images is kept in float32; in bfloat16 each image's part is rounded, as the sum is in the end. The
    order of all sums is fixed: the same bits each time. Taps that reach beyond the map from every pixel see padding
    only; they are left out. There is no second derivative. What is returned is channels_last.

    It is PyTorch's convolution in evaluation, to whatever traces or exports the network, on devices other than CPUs,
    for other types than float32 and bfloat16, where PyTorch is faster (``benchmarks/depthwise.py``), and everywhere
    with ``CIFAR100_FAST_DEPTHWISE=0`` in the environment.

    Args:
        x: ``(n, channels, h, w)``.
        weight: ``(channels, 1, kernel height, kernel width)``, both odd.
        bias: ``(channels)``, or None.
        dilation: spacing of the kernel's taps, vertically and horizontally.
        training: whether the module is in training mode.

    Returns:
        ``(n, channels, h, w)``.
    """
    if not (training and ENABLED and torch.is_grad_enabled() and _is_faster(x, weight)) or _is_recorded():
        return F.conv2d(x, weight, bias, 1, _same(weight.shape[2:], dilation), dilation, weight.shape[0])
    if torch.is_autocast_enabled("cpu"):
        dtype = torch.get_autocast_dtype("cpu")
        x, weight, bias = x.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
    weight = within_reach(weight, x.shape[2:], dilation).contiguous()
    return _convolve(x.contiguous(memory_format=torch.channels_last), weight, bias, list(dilation))


def within_reach(weight: Tensor, size: tuple[int, int], dilation: tuple[int, int]) -> Tensor:
    """The taps of ``weight``, odd in height and width, that see more than padding somewhere on a map of that size."""
    for axis, length, spacing in zip((2, 3), size, dilation, strict=True):
        half = weight.shape[axis] // 2
        reach = min(half, (length - 1) // spacing)
        weight = weight.narrow(axis, half - reach, 2 * reach + 1)
    return weight


def _to_phases(x: Tensor, dilation: Sequence[int]) -> Tensor:
    """Pixels that are ``dilation`` apart, as images: ``(n, channels, h, w)`` to ``(n * rows * columns of the dilation,
    channels, ceil(h / rows), ceil(w / columns))``, zeros where the map ends."""
    x = x.permute(0, 2, 3, 1)
    (down, across), (height, width) = dilation, x.shape[1:3]
    x = F.pad(x, (0, 0, 0, -width % across, 0, -height % down))
    x = x.unflatten(2, (-1, across)).unflatten(1, (-1, down)).permute(0, 2, 4, 1, 3, 5)
    return x.flatten(0, 2).contiguous().permute(0, 3, 1, 2)


def _from_phases(phases: Tensor, shape: torch.Size, dilation: Sequence[int]) -> Tensor:
    """The map of that shape of which :func:`_to_phases` makes ``phases``."""
    x = phases.permute(0, 2, 3, 1).unflatten(0, (-1, *dilation)).permute(0, 3, 1, 4, 2, 5)
    x = x.flatten(3, 4).flatten(1, 2)[:, : shape[2], : shape[3]]
    return x.contiguous().permute(0, 3, 1, 2)


def _is_faster(x: Tensor, weight: Tensor) -> bool:
    """As ``benchmarks/depthwise.py`` found: PyTorch is fast at narrow kernels, up to a height; without AVX-512 at all
    but long strips; and at bfloat16 oneDNN is fast at neither form without its instructions."""
    if x.device.type != "cpu" or x.dtype == torch.float64:
        return False
    dtype = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else x.dtype
    height, width = weight.shape[2:]
    long = height >= 17 or width >= 15
    if dtype == torch.bfloat16:
        return _AVX512_BF16 and (long or width >= 5)
    return dtype == torch.float32 and (long or (_AVX512 and min(height, width) >= 5))


def _is_recorded() -> bool:
    return torch.jit.is_tracing() or torch.compiler.is_exporting()


@torch.library.custom_op("cifar100::depthwise_conv2d", mutates_args=())
def _convolve(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: list[int]) -> Tensor:
    with torch.autocast("cpu", enabled=False):
        if max(dilation) > 1 and max(_same(weight.shape[2:], dilation)) > _FAST_PADDING:
            phases = _to_phases(x, dilation)
            out = F.conv2d(phases, weight, bias, 1, _same(weight.shape[2:], [1, 1]), 1, weight.shape[0])
            return _from_phases(out, x.shape, dilation)
        out = F.conv2d(x, weight, bias, 1, _same(weight.shape[2:], dilation), dilation, weight.shape[0])
    return out.contiguous(memory_format=torch.channels_last)


@_convolve.register_fake
def _(x: Tensor, weight: Tensor, bias: Tensor | None, dilation: list[int]) -> Tensor:
    return torch.empty_like(x, memory_format=torch.channels_last)


@torch.library.custom_op("cifar100::depthwise_conv2d_weight_gradient", mutates_args=())
def _weight_gradient(x: Tensor, gradient: Tensor, kernel_size: list[int], dilation: list[int]) -> Tensor:
    channels, *size = x.shape[1:]
    at_once = _images_at_once(*x.shape[1:])
    kernels = gradient.contiguous().flatten(0, 1).unsqueeze(1).split(at_once * channels)
    total = torch.zeros(channels, *kernel_size, dtype=torch.promote_types(x.dtype, torch.float32))
    with torch.autocast("cpu", enabled=False):
        for maps, kernel in zip(x.split(at_once), kernels, strict=True):
            maps = maps.permute(2, 3, 0, 1).reshape(1, *size, len(kernel)).permute(0, 3, 1, 2)
            parts = F.conv2d(maps, kernel, None, dilation, _same(kernel_size, dilation), 1, len(kernel))
            total += parts.view(-1, channels, *kernel_size).sum(0, dtype=total.dtype)
    return total.unsqueeze(1).to(x.dtype)


@_weight_gradient.register_fake
def _(x: Tensor, gradient: Tensor, kernel_size: list[int], dilation: list[int]) -> Tensor:
    return x.new_empty(x.shape[1], 1, *kernel_size)


def _keep(ctx, inputs, output) -> None:
    x, weight, _, ctx.dilation = inputs
    ctx.save_for_backward(x, weight)


def _gradients(ctx, gradient: Tensor) -> tuple[Tensor | None, ...]:
    x, weight = ctx.saved_tensors
    wants_x, wants_weight, wants_bias, _ = ctx.needs_input_grad
    gradient = gradient.contiguous(memory_format=torch.channels_last)
    of_x = _convolve(gradient, weight.flip(2, 3), None, ctx.dilation) if wants_x else None
    of_weight = _weight_gradient(x, gradient, list(weight.shape[2:]), ctx.dilation) if wants_weight else None
    of_bias = gradient.sum((0, 2, 3)) if wants_bias else None
    return of_x, of_weight, of_bias, None


_convolve.register_autograd(_gradients, setup_context=_keep)


def _same(kernel_size: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """The padding that keeps the map."""
    return [spacing * (taps // 2) for spacing, taps in zip(dilation, kernel_size, strict=True)]


def _images_at_once(channels: int, height: int, width: int) -> int:
    """So many images that their maps have about ``_ELEMENTS`` elements and their channels fill whole blocks."""
    step = _BLOCK // gcd(_BLOCK, channels)
    return max(1, _ELEMENTS // (channels * height * width * step)) * step
