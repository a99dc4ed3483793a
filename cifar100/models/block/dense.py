"""The layer of DenseNet."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.checks import check_at_least
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.in_place import in_place
from cifar100.models.shape import Shape


class DenseBlock(AttentionBlock):
    """One layer of a dense block: what comes in is kept, and ``growth`` new channels are computed from all of it and
    appended (Huang et al., arXiv 1608.06993, equation 2, with the bottleneck of section 3 "DenseNet-B"):
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    A stage whose blocks grow (``stage=csp``, see its ``growth``) asks for ``in_channels + growth`` channels and gets
    the paper's layer. Any other shape is honoured too: the layer is then followed by the paper's transition (section 3
    "pooling layers" and "compression": norm, activation, 1x1 convolution, average pooling), which brings it about.
    ``stage=strided`` and ``separate`` get a transition after every layer this way, the last one linear: add
    ``head=preact``. A dense network with nothing passing by, as in the paper, is ``stage=csp stage.split_ratio=1``.

    Deviations: the 3x3 convolution is the mixer port; stochastic depth, and attention unless told otherwise, act on the
    new channels; the transition pools before its convolution, which commutes with it and then costs a quarter.

    Args:
        attention_position: where it sits: ``standard`` on the new channels, ``pre`` before the layer, ``identity`` on
            what is kept, ``post`` on what goes out or ``inner`` before the mixer, see
            :class:`~cifar100.models.block.attention_position.AttentionBlock`.
        growth: channels that the layer adds, the paper's k; 12 in its smallest CIFAR networks.
        expansion: channels between the two convolutions over growth; 4 in the paper.

    Raises:
        ValueError: a growth or an expansion below 1.
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
        attention_position: str = "standard",
        growth: int = 12,
        expansion: int = 4,
    ) -> None:
        super().__init__()
        check_at_least("block.growth", growth, 1, "12 is the paper's")
        check_at_least("block.expansion", expansion, 1, "4 is the paper's")
        narrow, grown = growth * expansion, shape.in_channels + growth
        self.norm1 = norm(shape.in_channels)
        self.activation1 = in_place(activation(), after=self.norm1)
        self.conv1 = nn.Conv2d(shape.in_channels, narrow, 1, bias=False)
        self.norm2 = norm(narrow)
        self.activation2 = in_place(activation(), after=self.norm2)
        self.mixer = mixer(Shape(narrow, growth, 1, shape.resolution))
        behind = {"standard": growth, "identity": shape.in_channels}.get(attention_position, shape.out_channels)
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=narrow, out=behind)
        self.drop_path = drop_path_layer(drop_path)
        self.transition = nn.Identity()
        if shape.stride > 1 or shape.out_channels != grown:
            pool = nn.AvgPool2d(shape.stride) if shape.stride > 1 else nn.Identity()
            conv = nn.Conv2d(grown, shape.out_channels, 1, bias=False)
            self.transition = nn.Sequential(norm(grown), activation(), pool, conv)

    def forward(self, x: Tensor) -> Tensor:
        out = self.activation2(self.norm2(self.conv1(self.activation1(self.norm1(self.attend("pre", x))))))
        out = self.drop_path(self.attend("standard", self.mixer(self.attend("inner", out))))
        return self.attend("post", self.transition(torch.cat([self.attend("identity", x), out], dim=1)))
