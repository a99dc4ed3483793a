"""Where things stand on a slide, in inches, and in which colours."""

from __future__ import annotations

from dataclasses import dataclass

WIDTH, HEIGHT = 13.333, 7.5
MARGIN = 0.6
POINTS = 72  # per inch

INK = "1B2430"  # text
MUTED = "5A6675"  # notes, footer
ACCENT = "1F4E79"  # title, heads of tables
RULE = "C9D1DA"
BAND = "F2F5F8"  # every second row of a table
PAPER = "FFFFFF"
BASELINE = "7A8794"
# Okabe and Ito's colours, as in the report's figures; the baseline's row has the first.
SERIES = ("000000", "0072B2", "D55E00", "009E73", "CC79A7", "E69F00", "56B4E9", "8B6914")
BLUE, ORANGE, GREY = "0072B2", "C04F00", "5A6675"  # better, worse, not distinguishable; the words stand there too

BODY, NOTE, TITLE, FOOTER = 18.0, 11.0, 28.0, 10.0  # font sizes, points
SMALLEST = 10.0


@dataclass(frozen=True)
class Box:
    """A rectangle on the slide: left, top, width and height in inches."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def columns(self, *shares: float, gap: float = 0.35) -> list[Box]:
        """The box cut into columns whose widths are as `shares`."""
        room = self.width - gap * (len(shares) - 1)
        boxes, left = [], self.left
        for share in shares:
            width = room * share / sum(shares)
            boxes.append(Box(left, self.top, width, self.height))
            left += width + gap
        return boxes

    def split(self, height: float, gap: float = 0.12) -> tuple[Box, Box]:
        """The topmost `height` inches, and the rest below a gap; a negative height is taken from the bottom."""
        if height < 0:
            height = self.height + height - gap
        lower = Box(self.left, self.top + height + gap, self.width, self.height - height - gap)
        return Box(self.left, self.top, self.width, height), lower


TITLE_BOX = Box(MARGIN, 0.42, WIDTH - 2 * MARGIN, 0.62)
MESSAGE_BOX = Box(MARGIN, 1.2, WIDTH - 2 * MARGIN, 0.62)
BODY_BOX = Box(MARGIN, 1.95, WIDTH - 2 * MARGIN, 4.85)
FOOTER_BOX = Box(MARGIN, 7.0, WIDTH - 2 * MARGIN - 1.2, 0.28)
NUMBER_BOX = Box(WIDTH - MARGIN - 1.0, 7.0, 1.0, 0.28)
OPENING_TITLE_BOX = Box(MARGIN + 0.35, 1.55, WIDTH - 2 * MARGIN - 0.7, 1.5)
OPENING_TEXT_BOX = Box(MARGIN + 0.35, 3.35, WIDTH - 2 * MARGIN - 0.7, 2.9)
