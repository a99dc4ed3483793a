"""The contract between the parts of a network: what comes in, what must go out."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Shape:
    """The map that a mixer, block, downsample layer or stage has to be: ``(n, in_channels, resolution, resolution)`` to
    ``(n, out_channels, resolution / stride, resolution / stride)``.

    Args:
        in_channels: channels that come in.
        out_channels: channels that must go out.
        stride: factor by which height and width shrink.
        resolution: height and width, in pixels, of what comes in.

    Raises:
        ValueError: a value below 1, or a resolution that the stride does not divide.
    """

    in_channels: int
    out_channels: int
    stride: int = 1
    resolution: int = 32

    def __post_init__(self) -> None:
        for name in ("in_channels", "out_channels", "stride", "resolution"):
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"{name}={value!r} must be a whole number of at least 1")
        if self.resolution % self.stride:
            raise ValueError(
                f"a feature map of {self.resolution}x{self.resolution} cannot be halved by stride {self.stride}; use a "
                "stem of smaller stride (stem=conv3x3), fewer stages (model.depths, model.widths) or larger images"
            )

    @property
    def out_resolution(self) -> int:
        """Height and width of what goes out."""
        return self.resolution // self.stride

    @property
    def constant(self) -> bool:
        """Whether what goes out has the shape of what comes in."""
        return self.stride == 1 and self.in_channels == self.out_channels

    def after(self) -> "Shape":
        """The shape-keeping step that follows this one."""
        return Shape(self.out_channels, self.out_channels, 1, self.out_resolution)

    def require_constant(self, block: str) -> None:
        """Refuses, in the name of ``block``, a shape that is not constant.

        Raises:
            ValueError: with the override that cures it.
        """
        if not self.constant:
            raise ValueError(
                f"block={block} keeps its shape and cannot map {self.in_channels} channels to {self.out_channels} with "
                f"stride {self.stride}; use stage=separate, whose downsample layer does that"
            )
