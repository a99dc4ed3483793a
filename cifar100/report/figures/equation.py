"""Equations as pictures, for formats that have no form of their own for them."""

from __future__ import annotations

import io
import re
from functools import lru_cache

POINTS, DPI = 16, 300  # size of type and dots per inch at which an equation is drawn


@lru_cache
def equation_png(latex: str) -> bytes | None:
    """The equation in dark type on a transparent ground, None where matplotlib's mathtext cannot set it."""
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties

    figure = Figure(figsize=(0.1, 0.1), facecolor="none")
    # A word that mathtext lacks, in one that it has.
    known = re.sub(r"\\text\{([^}]*)\}", lambda match: rf"\mathrm{{{match[1]}}}".replace(" ", r"\ "), latex)
    figure.text(0, 0, f"${known}$", fontproperties=FontProperties(size=POINTS, math_fontfamily="stix"), parse_math=True)
    picture = io.BytesIO()
    try:
        figure.savefig(picture, dpi=DPI, bbox_inches="tight", pad_inches=0.02, metadata={"Software": None})
    except ValueError:
        return None
    return picture.getvalue()
