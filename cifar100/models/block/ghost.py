"""The basic block with Ghost modules."""

from collections.abc import Callable

from torch import nn

from cifar100.models.block.basic import BasicBlock
from cifar100.models.checks import check_choice
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.shape import Shape


class GhostBlock(BasicBlock):
    """ResNet's basic block with Ghost modules in place of its 3x3 convolutions (Ghost-ResNet-56, Han et al., arXiv
    1911.11907, section 4.1): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, r / stride)``.

    In the authors' code a Ghost module takes the place of convolution, norm and activation together: it has a norm and
    an activation behind each of its two operations, and the last module of a branch has norms alone. That is
    ``norm_position=inside``. With ``outside`` the module is linear, as the paper's equations are, and one norm and
    activation follow its whole output, as they follow a convolution.

    Deviation: the paper replaces both convolutions, and a Ghost module is one choice of the mixer port
    (``conf/block/ghost.yaml`` asks for it), so ``mixer=ghost_eca`` fits too. With ``replace=both`` and
    ``norm_position=outside`` the block is :class:`~cifar100.models.block.basic.BasicBlock` with that mixer.

    Args:
        mixer: port ``(shape)``, put in place of convolutions; with ``norm_position=inside`` one that takes ``norm`` and
            ``activation`` too, as Ghost modules do.
        shortcut: see :func:`~cifar100.models.block.shortcut.shortcut`.
        replace: which convolution makes way: ``first``, ``second`` or ``both``.
        norm_position: ``inside`` the modules or ``outside`` them.

    Raises:
        ValueError: another value of ``replace`` or ``norm_position``; a mixer without norms of its own, or one that was
            given some already, for ``inside``.
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
        norm_position: str = "outside",
    ) -> None:
        check_choice("block.replace", replace, ("first", "second", "both"))
        check_choice("block.norm_position", norm_position, ("inside", "outside"))
        inside = norm_position == "inside"
        if inside:
            _require_norms_of_its_own(mixer)
        ports = [{"norm": norm, "activation": activation}, {"norm": norm}] if inside else [{}, {}]
        modules = [lambda each, ports=ports: mixer(each, **ports) for ports in ports]
        first = modules[0] if replace != "second" else ConvMixer
        second = modules[1] if replace != "first" else ConvMixer
        in_turn = iter([first, second])
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
        if inside and replace != "second":
            self.norm1 = self.activation1 = nn.Identity()
        if inside and replace != "first":
            self.norm2 = nn.Identity()


def _require_norms_of_its_own(mixer: Callable[[Shape], nn.Module]) -> None:
    kind, given = getattr(mixer, "func", mixer), getattr(mixer, "keywords", {})
    if not getattr(kind, "has_norms", False):
        raise ValueError(
            f"block.norm_position=inside needs a Ghost module, which has norms of its own, not {kind.__name__}; use "
            "block.norm_position=outside"
        )
    if given.get("norm") or given.get("activation"):
        raise ValueError(
            "block.norm_position=inside gives the mixer its norm and activation; leave mixer.norm and mixer.activation "
            "out, or use block.norm_position=outside"
        )
