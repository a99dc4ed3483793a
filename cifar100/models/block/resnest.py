"""The block of ResNeSt."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.block.shortcut import shortcut as build_shortcut
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.shape import Shape


class ResNeStBlock(AttentionBlock):
    """A bottleneck around split attention that shrinks by average pooling (Zhang et al., arXiv 2004.08955, figure 1
    right and section 4.1): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    ``shape.out_channels`` is the wide end: ``model.widths`` of ResNeSt-50 are 256, 512, 1024, 2048. The spatial
    operator is the mixer port (``mixer=split_attention`` in ``conf/block/resnest.yaml``); one that is not
    ``activated`` itself is followed by a norm and an activation, so that ``mixer=conv`` is the paper's radix 0.
    Deviation: attention, absent in the paper, sits where SENet puts it (arXiv 1709.01507) unless told otherwise.

    Args:
        expansion: wide over narrow channels; 4 in the paper's networks. A base width b and cardinality k other than 64
            and 1 are ``expansion=256 / (b * k)`` and ``mixer.cardinality=k``: 3.2 and 2 for 2s2x40d.
        shortcut: ``avgpool`` in the paper, see :func:`~cifar100.models.block.shortcut.shortcut`.
        avd: whether a 3x3 average pooling shrinks ("average downsampling"), instead of the mixer's stride.
        avd_first: whether it comes before the mixer (the paper's "fast" networks) or after.

    Raises:
        ValueError: an expansion that does not divide the output channels, or ``avd_first`` without ``avd``.
    """

    last_norm = "norm3"
    for_changed_shapes = ("shortcut", "avd", "avd_first")

    def __init__(
        self,
        shape: Shape,
        drop_path: float = 0.0,
        *,
        mixer: Callable[[Shape], nn.Module],
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        attention: Callable[[int], nn.Module],
        attention_position: str = "standard",
        expansion: float = 4,
        shortcut: str = "avgpool",
        avd: bool = True,
        avd_first: bool = False,
    ) -> None:
        super().__init__()
        if avd_first and not avd:
            raise ValueError("block.avd_first=true moves a pooling that there is not; set block.avd=true")
        narrow = _narrow(shape.out_channels, expansion)
        pool = nn.AvgPool2d(3, shape.stride, 1) if avd and shape.stride > 1 else None
        stride = 1 if pool else shape.stride
        first = pool if avd_first else None
        resolution = shape.out_resolution if first else shape.resolution
        self.conv1 = nn.Conv2d(shape.in_channels, narrow, 1, bias=False)
        self.norm1 = norm(narrow)
        self.activation1 = activation()
        self.pool1 = first or nn.Identity()
        self.mixer = mixer(Shape(narrow, narrow, stride, resolution))
        activated = getattr(self.mixer, "activated", False)
        self.norm2 = nn.Identity() if activated else norm(narrow)
        self.activation2 = nn.Identity() if activated else activation()
        self.pool2 = nn.Identity() if first else pool or nn.Identity()
        self.conv3 = nn.Conv2d(narrow, shape.out_channels, 1, bias=False)
        self.norm3 = norm(shape.out_channels)
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=narrow, out=shape.out_channels)
        self.drop_path = drop_path_layer(drop_path)
        self.shortcut = build_shortcut(shape, shortcut, norm)
        self.activation3 = activation()

    def forward(self, x: Tensor) -> Tensor:
        out = self.pool1(self.activation1(self.norm1(self.conv1(self.attend("pre", x)))))
        out = self.pool2(self.activation2(self.norm2(self.mixer(out))))
        out = self.norm3(self.conv3(self.attend("inner", out)))
        out = self.drop_path(self.attend("standard", out)) + self.attend("identity", self.shortcut(x))
        return self.attend("post", self.activation3(out))


def _narrow(out_channels: int, expansion: float) -> int:
    narrow = round(out_channels / expansion) if expansion > 0 else 0
    if narrow < 1 or abs(narrow * expansion - out_channels) > 0.01 * expansion:
        raise ValueError(
            f"block.expansion={expansion} must divide the {out_channels} output channels; "
            "choose another expansion or other model.widths"
        )
    return narrow
