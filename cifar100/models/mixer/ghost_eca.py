"""The Ghost module with efficient channel attention."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.checks import check_choice
from cifar100.models.mixer.ghost import GhostMixer
from cifar100.models.shape import Shape


class GhostEcaMixer(GhostMixer):
    """A Ghost module (arXiv 1911.11907) whose maps are weighed by ECA (arXiv 1910.03151), a hybrid of this study:
    ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    With ``primary``, ``y' = ECA(conv(x))`` and the output is ``[y', cheap(y')]``: half the channels are looked at, and
    the ghosts inherit their original's weight (exactly so while the cheap operation is linear). With ``output``, the
    output is ``ECA([y', cheap(y')])`` of ``y' = conv(x)``: every ghost has a weight of its own. Both differ from
    ``block=ghost attention=eca``, which weighs once per block and after the block's norm. ``conv`` and ``cheap``
    include their norm and activation where the module has them (``block.norm_position=inside``); without, ECA averages
    raw maps, whose scale no norm has set.

    Args:
        shape: what the mixer maps.
        position: of ECA, ``primary`` or ``output``.
        eca: port ``(channels)``, the attention.
        ratio: see :class:`~cifar100.models.mixer.ghost.GhostMixer`, as for all that follow.
        kernel_size: of the primary convolution.
        cheap_kernel_size: of the cheap depthwise convolution.
        cheap_operation: ``depthwise``, ``grouped`` or ``affine``.
        cheap_groups: of the grouped one.
        norm: port ``(channels)`` after each operation, before ECA, or null.
        activation: port ``()`` after each norm, or null.

    Raises:
        ValueError: another position, or what GhostMixer and ECA refuse.
    """

    def __init__(
        self,
        shape: Shape,
        *,
        eca: Callable[[int], nn.Module],
        position: str = "primary",
        ratio: int = 2,
        kernel_size: int = 3,
        cheap_kernel_size: int = 3,
        cheap_operation: str = "depthwise",
        cheap_groups: int | None = None,
        norm: Callable[[int], nn.Module] | None = None,
        activation: Callable[[], nn.Module] | None = None,
    ) -> None:
        super().__init__(
            shape,
            ratio=ratio,
            kernel_size=kernel_size,
            cheap_kernel_size=cheap_kernel_size,
            cheap_operation=cheap_operation,
            cheap_groups=cheap_groups,
            norm=norm,
            activation=activation,
        )
        check_choice("mixer.position", position, ("primary", "output"))
        self.position = position
        self.eca = eca(self.primary.out_channels if position == "primary" else shape.out_channels)

    def forward(self, x: Tensor) -> Tensor:
        if self.position == "primary":
            return self.with_ghosts(self.eca(self.intrinsic(x)))
        return self.eca(self.with_ghosts(self.intrinsic(x)))
