"""Images side by side, with a caption each and heat laid over some."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor
from torch.nn.functional import interpolate

from cifar100.evaluation.figures import figure_of, wrapped

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TILE, CAPTION, HEADING, LINE = 1.25, 0.4, 0.3, 0.155  # inches
LONGEST = 16  # characters of a class's name
OPAQUE = 0.7  # how much of the image the hottest place hides


@dataclass(frozen=True)
class Tile:
    """An image (h, w, 3) of numbers from 0 to 1, its caption, and heat (h, w) from 0 to 1 to lay over it."""

    image: np.ndarray
    caption: str
    heat: np.ndarray | None = None


def tile_figure(rows: Sequence[str | Sequence[Tile]], title: str, *, columns: int) -> Figure:
    """Rows of at most `columns` tiles; a text among them is the heading of the rows below it.

    Heat is laid over the image in plasma, which colour-blind readers can order by its lightness, the more opaque the
    hotter: where there is none, the image is as it is.
    """
    lines = wrapped(title, max(48, 15 * columns))
    top = LINE * (lines.count("\n") + 1) + 0.15
    heights = [HEADING if isinstance(row, str) else TILE + CAPTION for row in rows]
    width, height = columns * TILE + 0.1, top + sum(heights) + 0.05
    figure = figure_of(width, height)
    figure.set_layout_engine("none")  # every place is known
    figure.text(0.5, 1 - 0.08 / height, lines, ha="center", va="top", fontsize=9, parse_math=False)
    for row, used in zip(rows, heights, strict=True):
        if isinstance(row, str):
            place = (0.1 / width, 1 - (top + used - 0.06) / height)
            figure.text(*place, row, ha="left", va="bottom", fontsize=8.5, weight="bold", parse_math=False)
        else:
            for across, tile in enumerate(row):
                side = TILE - 0.1
                corner = ((0.1 + across * TILE) / width, 1 - (top + CAPTION + side) / height)
                _draw(figure.add_axes((*corner, side / width, side / height)), tile)
        top += used
    return figure


def _draw(axes, tile: Tile) -> None:
    image = tile.image
    if tile.heat is not None:
        image = overlaid(image, tile.heat)
    axes.imshow(np.clip(image, 0, 1), interpolation="nearest")
    axes.set_axis_off()
    axes.set_title(tile.caption, fontsize=6.5, pad=2, parse_math=False)


def overlaid(image: np.ndarray, heat: np.ndarray) -> np.ndarray:
    """An image (h, w, 3) of numbers from 0 to 1 under heat (h, w) from 0 to 1."""
    from matplotlib import colormaps

    opaque = OPAQUE * heat[..., None]
    return (1 - opaque) * image + opaque * colormaps["plasma"](heat)[..., :3]


def pixels(image: Tensor) -> np.ndarray:
    """A uint8 image (channels, h, w) as numbers from 0 to 1, (h, w, 3); a single channel is grey."""
    colours = image.permute(1, 2, 0).numpy().astype(np.float64) / 255
    return colours if colours.shape[2] == 3 else colours[..., :1].repeat(3, axis=2)


def heat_over(heat: Tensor, height: int, width: int) -> np.ndarray:
    """A map (h, w) brought to the image's size and to 1 at its highest; all 0 where it is nowhere positive."""
    large = interpolate(heat[None, None].float(), (height, width), mode="bilinear", align_corners=False)[0, 0]
    return (large / large.amax().clamp(min=1e-12)).clamp(0, 1).numpy()


def shortened(name: str, longest: int = LONGEST) -> str:
    """A class's name as a caption has room for."""
    name = "".join(each if each.isprintable() else " " for each in name).replace("_", " ")
    return name if len(name) <= longest else f"{name[: longest - 1]}…"


def percent(share: float) -> str:
    """`97%`; what is not quite nothing or not quite all is not rounded to it."""
    return "<1%" if 0 < share < 0.01 else ">99%" if 0.99 < share < 1 else f"{share:.0%}"
