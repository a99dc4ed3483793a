"""The frame that every architecture of the study shares: stem, stages, head."""

from collections.abc import Callable, Sequence

from torch import Tensor, nn

from cifar100.models.checks import check_positive, check_rate
from cifar100.models.shape import Shape

Factory = Callable[..., nn.Module]


class Network(nn.Module):
    """A stem, ``len(depths)`` stages and a head: images ``(n, in_channels, resolution, resolution)`` to logits
    ``(n, num_classes)``.

    The first stage keeps the stem's resolution and every later one halves it, as in ResNet (He et al., arXiv
    1512.03385, section 4.2) and its descendants.

    Args:
        stem: port ``(in_channels, out_channels)``, exposes ``stride``.
        stage: port ``(shape, depth, drop_paths)``; one factory for all stages or a list with one per stage.
        head: port ``(in_channels, num_classes)``.
        init: called with the finished network, sets its weights in place.
        depths: blocks per stage.
        widths: channels that each stage puts out.
        stem_width: channels of the stem; the first stage's width if null.
        width_multiplier: scales every width, rounded to the nearest multiple of 8 (at least 8).
        strides: stride of each stage; 1, 2, 2, ... if null.
        drop_path: rate of stochastic depth (arXiv 1603.09382) at the last block; grows linearly from 0 at the first.
        in_channels: channels of an image.
        num_classes: classes to tell apart.
        resolution: height and width of an image in pixels.

    Raises:
        ValueError: depths, widths, strides or stages that do not go together, a value out of range, or a shape that a
            primitive refuses.
    """

    def __init__(
        self,
        stem: Factory,
        stage: Factory | Sequence[Factory],
        head: Factory,
        init: Callable[[nn.Module], None],
        *,
        depths: Sequence[int],
        widths: Sequence[int],
        stem_width: int | None = None,
        width_multiplier: float = 1.0,
        strides: Sequence[int] | None = None,
        drop_path: float = 0.0,
        in_channels: int = 3,
        num_classes: int = 100,
        resolution: int = 32,
    ) -> None:
        super().__init__()
        for name, values in (("depths", depths), ("widths", widths), ("strides", strides or [])):
            if not isinstance(values, list | tuple):
                raise ValueError(f"model.{name}={values} must be a list of whole numbers, one per stage")
        strides = strides or [1] + [2] * (len(depths) - 1)
        stages = list(stage) if isinstance(stage, Sequence) else [stage] * len(depths)
        _check(depths, widths, strides, stages, drop_path, width_multiplier)
        widths = [scale(width, width_multiplier) for width in widths]
        stem_width = scale(stem_width, width_multiplier) if stem_width else widths[0]
        self.in_channels, self.num_classes, self.resolution = in_channels, num_classes, resolution

        self.stem = stem(in_channels, stem_width)
        shape = Shape(in_channels, stem_width, self.stem.stride, resolution).after()
        drop_paths = [drop_path * index / max(1, sum(depths) - 1) for index in range(sum(depths))]
        self.stages = nn.Sequential()
        for build, depth, width, stride in zip(stages, depths, widths, strides, strict=True):
            shape = Shape(shape.out_channels, width, stride, shape.out_resolution)
            self.stages.append(build(shape, depth, drop_paths[:depth]))
            drop_paths, shape = drop_paths[depth:], shape.after()
        self.head = head(shape.out_channels, num_classes)
        init(self)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.stages(self.stem(images)))

    def feature_maps(self, images: Tensor) -> list[Tensor]:
        """The output of each stage, the finest map first: a backbone for heads of detection and segmentation
        (``examples/detect_digits.py``). Images may be of any size where no mixer is bound to ``resolution``, as token
        MLPs and relative self-attention are."""
        maps = [self.stem(images)]
        for stage in self.stages:
            maps.append(stage(maps[-1]))
        return maps[1:]


def scale(width: int, multiplier: float) -> int:
    """``width`` times ``multiplier``, to the nearest multiple of 8; unchanged at 1."""
    return width if multiplier == 1 else max(8, round(width * multiplier / 8) * 8)


def _check(
    depths: Sequence[int],
    widths: Sequence[int],
    strides: Sequence[int],
    stages: Sequence[Factory],
    drop_path: float,
    width_multiplier: float,
) -> None:
    for name, values in (("model.depths", depths), ("model.widths", widths), ("model.strides", strides)):
        if not values or any(not isinstance(value, int) or value < 1 for value in values):
            raise ValueError(f"{name}={list(values)} must be a list of whole numbers of at least 1, one per stage")
        if len(values) != len(depths):
            raise ValueError(
                f"{name}={list(values)} names {len(values)} stages but model.depths={list(depths)} names "
                f"{len(depths)}; give both lists the same length"
            )
    if len(stages) != len(depths):
        raise ValueError(
            f"this recipe has {len(stages)} stages of different kinds, so model.depths={list(depths)} must have "
            f"{len(stages)} entries"
        )
    check_rate("model.drop_path", drop_path)
    check_positive("model.width_multiplier", width_multiplier, "1 keeps model.widths")
