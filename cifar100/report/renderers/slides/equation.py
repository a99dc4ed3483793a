"""Equations as pictures: presentation programs have no common form for them that could be edited."""

from __future__ import annotations

import io
import re
import struct
from functools import lru_cache

from cifar100.report.renderers.slides import layout

DPI = 300
POINTS = 16  # font size at which an equation is drawn


@lru_cache
def equation_png(latex: str) -> bytes | None:
    """The equation in dark type on a transparent ground, None where matplotlib's mathtext cannot set it."""
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    figure = Figure(figsize=(0.1, 0.1), facecolor="none")
    font = FontProperties(size=POINTS, math_fontfamily="stix")
    figure.text(0, 0, f"${_mathtext(latex)}$", color=f"#{layout.INK}", fontproperties=font)
    written = io.BytesIO()
    try:
        figure.savefig(written, dpi=DPI, bbox_inches="tight", pad_inches=0.02, metadata={"Software": None})
    except ValueError:
        return None
    return written.getvalue()


def png_inches(png: bytes) -> tuple[float, float]:
    """Width and height at the font size that it was drawn for."""
    width, height = struct.unpack(">II", png[16:24])
    return width / DPI, height / DPI


def _mathtext(latex: str) -> str:
    """LaTeX that mathtext lacks in words that it has."""
    return re.sub(r"\\text\{([^}]*)\}", lambda match: r"\mathrm{" + match[1].replace(" ", r"\ ") + "}", latex)
