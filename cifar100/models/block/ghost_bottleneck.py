"""The block of GhostNet."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.mixer.ghost import GhostMixer
from cifar100.models.shape import Shape


class GhostBottleneck(AttentionBlock):
    """A Ghost module that expands, where the block strides a depthwise convolution, attention, a Ghost module that
    projects without activation, around a shortcut (Han et al., arXiv 1911.11907, figure 3 and section 3.2):
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Where the shape changes the shortcut is a depthwise convolution and a 1x1 convolution with a norm each, as in the
    authors' code. Deviations: both depthwise convolutions are the mixer port (``mixer=depthwise3x3`` in
    ``conf/block/ghost_bottleneck.yaml``), which a block that does not stride has no place for; the paper's BN and
    ReLU are the norm and activation ports, its SE, in some blocks, the attention port
    (``attention=se_mobilenet``), which by default sits where the paper's does.

    Args:
        expansion: hidden channels over those that come in; 1 to 6 in the paper (its table 1 lists hidden channels).
        ratio: of both Ghost modules, see :class:`~cifar100.models.mixer.ghost.GhostMixer`, as for the next two.
        cheap_kernel_size: of their cheap depthwise convolutions.
        cheap_operation: ``depthwise`` or ``affine``.

    Raises:
        ValueError: an expansion that leaves no hidden channel, or what a port refuses.
    """

    def __init__(
        self,
        shape: Shape,
        drop_path: float = 0.0,
        *,
        mixer: Callable[[Shape], nn.Module],
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        attention: Callable[[int], nn.Module],
        attention_position: str = "inner",
        expansion: float = 3,
        ratio: int = 2,
        cheap_kernel_size: int = 3,
        cheap_operation: str = "depthwise",
    ) -> None:
        super().__init__()
        hidden = round(shape.in_channels * expansion)
        if hidden < 1:
            raise ValueError(f"block.expansion={expansion} must leave a hidden channel; the paper's values are 1 to 6")
        ghost = {"ratio": ratio, "cheap_kernel_size": cheap_kernel_size, "cheap_operation": cheap_operation}
        expand = Shape(shape.in_channels, hidden, 1, shape.resolution)
        project = Shape(hidden, shape.out_channels, 1, shape.out_resolution)
        self.ghost1 = GhostMixer(expand, kernel_size=1, norm=norm, activation=activation, **ghost)
        strides = shape.stride > 1
        self.mixer = mixer(Shape(hidden, hidden, shape.stride, shape.resolution)) if strides else nn.Identity()
        self.norm = norm(hidden) if strides else nn.Identity()
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=hidden, out=shape.out_channels)
        self.ghost2 = GhostMixer(project, kernel_size=1, norm=norm, **ghost)
        self.drop_path = drop_path_layer(drop_path)
        self.shortcut = nn.Identity() if shape.constant else _shortcut(shape, mixer, norm)

    def forward(self, x: Tensor) -> Tensor:
        out = self.norm(self.mixer(self.ghost1(self.attend("pre", x))))
        out = self.attend("standard", self.ghost2(self.attend("inner", out)))
        return self.attend("post", self.drop_path(out) + self.attend("identity", self.shortcut(x)))


def _shortcut(shape: Shape, mixer: Callable[[Shape], nn.Module], norm: Callable[[int], nn.Module]) -> nn.Module:
    channels = shape.in_channels
    spatial = mixer(Shape(channels, channels, shape.stride, shape.resolution))
    pointwise = nn.Conv2d(channels, shape.out_channels, 1, bias=False)
    return nn.Sequential(spatial, norm(channels), pointwise, norm(shape.out_channels))
