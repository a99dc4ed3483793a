"""How all figures look, and how they become files.

Colours are Okabe and Ito's, which colour-blind readers tell apart; shapes and line styles tell the same once more. All
figures are as wide as a page of the report, so a point of type in them is a point on paper.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unicodedata import east_asian_width

from cifar100.base.text import printable

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WIDTH = 7.2  # inches
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#666666"
PNG_DPI = 200
# A subset of a Chinese font that travels with the package (docs/chinese_font.py), and installed fonts for characters
# that it lacks.
CHINESE_FONT = Path(__file__).parent / "fonts" / "ReportSansSC-Regular.otf"
INSTALLED = (
    "Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans SC", "WenQuanYi Zen Hei", "Microsoft YaHei", "PingFang SC",
)  # fmt: skip


@lru_cache
def font_families() -> tuple[str, ...]:
    """The names of the fonts in which matplotlib looks for a character, in their order."""
    from matplotlib import font_manager

    font_manager.fontManager.addfont(CHINESE_FONT)
    known = {font.name for font in font_manager.fontManager.ttflist}
    return ("DejaVu Sans", "Report Sans SC", *(name for name in INSTALLED if name in known))


@contextmanager
def drawing() -> Iterator[None]:
    """Draw and save figures within this context; what it sets of matplotlib ends with it."""
    import matplotlib

    settings = {
        "font.family": list(font_families()),
        "font.size": 9,
        "axes.titlesize": 9.5,
        "axes.labelsize": 9.5,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.unicode_minus": True,
        "grid.color": "#E4E4E4",
        "grid.linewidth": 0.6,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "text.parse_math": False,  # a label may hold dollar signs
        "svg.fonttype": "path",  # the reader need not have the font
        "svg.hashsalt": "cifar100",  # equal figures give equal files
    }
    with matplotlib.rc_context(settings), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        yield


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure, sizes in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)  # one that can measure text
    return figure


def short(label: str, limit: int = 34) -> str:
    """A row's label, cut to what fits beside a mark: a width of `limit` Latin letters."""
    kept = label = printable(label)
    while width(kept) > (limit if kept == label else limit - 1):
        kept = kept[:-1]
    return label if kept == label else f"{kept.rstrip()}…"


def width(text: str) -> int:
    """How wide a text is in Latin letters; Chinese characters are two wide."""
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


def svg(figure: Figure) -> bytes:
    """The figure as SVG, its text as outlines. Call within `drawing`."""
    return _saved(figure, format="svg", metadata={"Date": None, "Creator": None})


def png(figure: Figure) -> bytes:
    """The figure as PNG of 200 dots per inch. Call within `drawing`."""
    return _saved(figure, format="png", dpi=PNG_DPI, metadata={"Software": None})


def _saved(figure: Figure, **options: Any) -> bytes:
    buffer = BytesIO()
    figure.savefig(buffer, **options)
    return buffer.getvalue()
