"""The Ghost module."""

from collections.abc import Callable
from math import ceil

import torch
from torch import Tensor, nn

from cifar100.models.checks import check_choice, check_kernel_size
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.mixer.depthwise import DepthwiseMixer
from cifar100.models.mixer.ghost_affine import AffineWarp
from cifar100.models.shape import Shape


class GhostMixer(nn.Module):
    """A convolution for part of the output, cheap copies of it for the rest (Han et al., arXiv 1911.11907, equations 2
    and 3, figure 2b): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    The primary convolution makes ``ceil(out_channels / ratio)`` intrinsic maps, the cheap operation ``ratio - 1``
    ghosts of each; the ghosts are put behind the intrinsic maps and cut to ``out_channels``, as in the authors' code.

    Without ``norm`` and ``activation`` (``mixer=ghost``) the module is linear, as the equations are, and takes a
    convolution's place: the block's own norm and activation follow. The authors' code has both after the primary
    convolution and after the cheap operation, with none behind, as ``block=ghost_bottleneck`` and ``block=ghost`` with
    ``block.norm_position=inside`` do. Either way a norm takes the scale out of a ghost that is its original times a
    number, which is all that ``cheap_kernel_size=1`` makes.

    Args:
        shape: what the mixer maps.
        ratio: output over intrinsic maps (s in the paper).
        kernel_size: of the primary convolution, odd; 1 in GhostNet, 3 in place of ResNet's convolutions.
        cheap_kernel_size: of the cheap depthwise convolution (d in the paper), odd.
        cheap_operation: ``depthwise``, a convolution; ``grouped``, one of ``cheap_groups`` groups, which mixes the maps
            of a group; or ``affine``, see :class:`~cifar100.models.mixer.ghost_affine.AffineWarp`.
        cheap_groups: of ``cheap_operation=grouped``, or null; a divisor of the intrinsic maps.
        norm: port ``(channels)`` after each of the two operations, or null.
        activation: port ``()`` after each norm, or null.

    Raises:
        ValueError: a ratio below 2, an even kernel, another cheap operation, a kernel for the affine one, or groups
            that nothing uses or that do not divide the maps.
    """

    has_norms = True

    def __init__(
        self,
        shape: Shape,
        *,
        ratio: int = 2,
        kernel_size: int = 3,
        cheap_kernel_size: int = 3,
        cheap_operation: str = "depthwise",
        cheap_groups: int | None = None,
        norm: Callable[[int], nn.Module] | None = None,
        activation: Callable[[], nn.Module] | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(ratio, int) or ratio < 2:
            raise ValueError(f"ratio={ratio} of a Ghost module must be a whole number of at least 2; 1 is mixer=conv")
        check_kernel_size("cheap_kernel_size", cheap_kernel_size)
        intrinsic = ceil(shape.out_channels / ratio)
        self.num_ghosts = shape.out_channels - intrinsic
        self.primary = ConvMixer(
            Shape(shape.in_channels, intrinsic, shape.stride, shape.resolution), kernel_size=kernel_size
        )
        ghosts = Shape(intrinsic, intrinsic * (ratio - 1), 1, shape.out_resolution)
        if cheap_operation == "affine" and cheap_kernel_size != 3:
            raise ValueError(
                f"cheap_kernel_size={cheap_kernel_size} has no effect on cheap_operation=affine; leave it out, or "
                "use cheap_operation=depthwise"
            )
        if (cheap_groups is not None) != (cheap_operation == "grouped"):
            raise ValueError(
                f"cheap_groups={cheap_groups} does not go with cheap_operation={cheap_operation}; set a number with "
                "cheap_operation=grouped, and null with others"
            )
        self.cheap = _cheap_operation(cheap_operation, ghosts, cheap_kernel_size, cheap_groups)
        self.norm1 = norm(intrinsic) if norm else nn.Identity()
        self.norm2 = norm(ghosts.out_channels) if norm else nn.Identity()
        self.activation1 = activation() if activation else nn.Identity()
        self.activation2 = activation() if activation else nn.Identity()

    def intrinsic(self, x: Tensor) -> Tensor:
        """The intrinsic maps of ``x``."""
        return self.activation1(self.norm1(self.primary(x)))

    def with_ghosts(self, intrinsic: Tensor) -> Tensor:
        """``intrinsic`` and, behind it, as many of its ghosts as the output lacks."""
        ghosts = self.activation2(self.norm2(self.cheap(intrinsic)))
        return torch.cat([intrinsic, ghosts[:, : self.num_ghosts]], 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.with_ghosts(self.intrinsic(x))


def _cheap_operation(name: str, shape: Shape, kernel_size: int, groups: int | None) -> nn.Module:
    if name == "depthwise":
        return DepthwiseMixer(shape, kernel_size=kernel_size, bias=False)
    if name == "affine":
        return AffineWarp(shape)
    check_choice("cheap_operation", name, ("depthwise", "grouped", "affine"))
    if groups < 1 or shape.in_channels % groups:
        raise ValueError(
            f"cheap_groups={groups} must divide the {shape.in_channels} intrinsic maps of a Ghost module; 4 divides "
            "those of ResNet-20 at ratio 2"
        )
    return ConvMixer(shape, kernel_size=kernel_size, groups=groups)
