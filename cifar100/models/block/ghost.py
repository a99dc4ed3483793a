"""The basic block with Ghost modules."""

from collections.abc import Callable

from torch import nn

from cifar100.models.block.basic import BasicBlock
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.shape import Shape


class GhostBlock(BasicBlock):
    """ResNet's basic block with Ghost modules in place of its 3x3 convolutions (Ghost-ResNet-56, Han et al., arXiv
    1911.11907, section 4.1): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    Deviation: the paper replaces both of them, and a Ghost module is one choice of the mixer port
    (``conf/block/ghost.yaml`` asks for it), so ``mixer=ghost_eca`` fits too. With ``replace=both`` the block is
    :class:`~cifar100.models.block.basic.BasicBlock` with that mixer.

    Args:
        shape: what the block maps.
        drop_path: rate of stochastic depth.
        mixer: port ``(shape)``, put in place of convolutions.
        norm: port ``(channels)``.
        activation: port ``()``.
        attention: port ``(channels)``.
        attention_position: see :class:`~cifar100.models.block.attention_position.AttentionBlock`.
        shortcut: see :func:`~cifar100.models.block.shortcut.shortcut`.
        replace: which convolution makes way: ``first``, ``second`` or ``both``.

    Raises:
        ValueError: another value of ``replace``.
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
        shortcut: str = "projection",
        replace: str = "both",
    ) -> None:
        operators = {"first": (mixer, ConvMixer), "second": (ConvMixer, mixer), "both": (mixer, mixer)}
        if replace not in operators:
            raise ValueError(f"block.replace={replace} is unknown; choose first, second or both")
        in_turn = iter(operators[replace])
        super().__init__(
            shape,
            drop_path,
            mixer=lambda each: next(in_turn)(each),
            norm=norm,
            activation=activation,
            attention=attention,
            attention_position=attention_position,
            shortcut=shortcut,
        )
