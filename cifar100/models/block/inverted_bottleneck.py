"""The block that leads from ResNet's bottleneck to ConvNeXt's, one option per step."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.block.shortcut import shortcut as build_shortcut
from cifar100.models.checks import check_choice, check_positive
from cifar100.models.drop_path import drop_path_layer
from cifar100.models.layer_scale import layer_scale_layer
from cifar100.models.shape import Shape

CHOICES = {"mixer_position": ("middle", "first"), "norms": ("all", "one"), "activations": ("all", "one")}


class InvertedBottleneckBlock(AttentionBlock):
    """1x1 convolution to more channels, spatial operator, 1x1 convolution back (Liu et al., arXiv 2201.03545, sections
    2.4 to 2.6, figures 3b, 3c and 4): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    As it stands it is figure 3b: each convolution has its norm, each but the last its activation, and one more follows
    the addition. ``mixer_position=first`` is figure 3c; with ``norms=one``, ``activations=one`` and a ``layer_scale``
    on top it is ConvNeXt's block, figure 4 right, and has its parameter names. ``docs/convnext_steps.md`` has the rows.

    The spatial operator is the mixer port, where the shape changes it strides. A 1x1 convolution has a bias where no
    norm follows it. Attention, absent in the paper, sits on the branch before LayerScale.

    Args:
        expansion: hidden over output channels; 4 in the paper, 1 keeps the width.
        mixer_position: ``middle``, between the 1x1 convolutions, or ``first``, before both ("moving up", section 2.5).
        norms: ``all``, or ``one``: only that after the mixer ("fewer normalization layers", section 2.6).
        activations: ``all``, or ``one``: only that before the last convolution ("fewer activation functions").
        layer_scale: start value of LayerScale (arXiv 2103.17239); null for none.
        shortcut: ``projection``, ``avgpool`` or ``padding``, see :func:`~cifar100.models.block.shortcut.shortcut`.

    Raises:
        ValueError: an expansion that is not positive, or an unknown choice.
    """

    last_norm = "project_norm"
    for_changed_shapes = ("shortcut",)

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
        mixer_position: str = "middle",
        norms: str = "all",
        activations: str = "all",
        layer_scale: float | None = None,
        shortcut: str = "projection",
    ) -> None:
        super().__init__()
        _check(expansion, mixer_position=mixer_position, norms=norms, activations=activations)
        channels, hidden = shape.out_channels, max(1, round(shape.out_channels * expansion))
        self.mixer_first = mixer_position == "first"
        mixed = shape.in_channels if self.mixer_first else hidden
        every_norm, every_activation = norms == "all", activations == "all"

        self.mixer = mixer(Shape(mixed, mixed, shape.stride, shape.resolution))
        self.norm = norm(mixed)
        self.mixer_activation = activation() if every_activation or not self.mixer_first else nn.Identity()
        self.expand = nn.Conv2d(shape.in_channels, hidden, 1, bias=not every_norm)
        self.expand_norm = norm(hidden) if every_norm else nn.Identity()
        self.expand_activation = activation() if every_activation or self.mixer_first else nn.Identity()
        self.project = nn.Conv2d(hidden, channels, 1, bias=not every_norm)
        self.project_norm = norm(channels) if every_norm else nn.Identity()
        self.place_attention(attention, attention_position, pre=shape.in_channels, inner=hidden, out=channels)
        self.layer_scale = layer_scale_layer(channels, layer_scale)
        self.drop_path = drop_path_layer(drop_path)
        self.shortcut = build_shortcut(shape, shortcut, norm)
        self.activation = activation() if every_activation else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        out = self.attend("pre", x)
        out = self._expand(self._mix(out)) if self.mixer_first else self._mix(self._expand(out))
        out = self.attend("standard", self.project_norm(self.project(self.attend("inner", out))))
        out = self.attend("identity", self.shortcut(x)) + self.drop_path(self.layer_scale(out))
        return self.attend("post", self.activation(out))

    def _mix(self, x: Tensor) -> Tensor:
        return self.mixer_activation(self.norm(self.mixer(x)))

    def _expand(self, x: Tensor) -> Tensor:
        return self.expand_activation(self.expand_norm(self.expand(x)))


def _check(expansion: float, **chosen: str) -> None:
    check_positive("block.expansion", expansion, "4 is the paper's")
    for name, value in chosen.items():
        check_choice(f"block.{name}", value, CHOICES[name])
