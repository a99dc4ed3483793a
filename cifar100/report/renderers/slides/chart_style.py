"""What all native charts share: fonts, axes, grid lines, and the part of the frame that the plot takes."""

from __future__ import annotations

from typing import Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_TICK_LABEL_POSITION, XL_TICK_MARK
from pptx.oxml.ns import qn
from pptx.util import Inches, Pt

from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.fit import MARGIN
from cifar100.report.renderers.slides.layout import POINTS, Box
from cifar100.report.renderers.slides.page import style_run
from cifar100.report.renderers.slides.widths import text_width

SIZE = 11.0  # font size of axes and legends, points


def place(box: Box) -> tuple[Any, ...]:
    return tuple(Inches(each) for each in (box.left, box.top, box.width, box.height))


def style_chart(chart: Any, size: float = SIZE) -> None:
    """No title, and no legend: the slide has both."""
    chart.font.size = Pt(size)
    chart.font.color.rgb = RGBColor.from_string(layout.INK)
    chart.has_title = False
    chart.has_legend = False


def style_axis(axis: Any, title: str, language: str, number_format: str | None = None, grid: bool = False) -> None:
    """Thin grey lines, a title where there is one, and numbers as `number_format` says."""
    axis.has_major_gridlines = grid
    if grid:
        _line(axis.major_gridlines.format.line, layout.RULE)
    _line(axis.format.line, layout.BASELINE)
    axis.major_tick_mark = XL_TICK_MARK.OUTSIDE
    axis.minor_tick_mark = XL_TICK_MARK.NONE
    axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
    if number_format is not None:
        axis.tick_labels.number_format = number_format
        axis.tick_labels.number_format_is_linked = False
    axis.has_title = bool(title)
    if title:
        run = axis.axis_title.text_frame.paragraphs[0].add_run()
        run.text = title
        style_run(run, SIZE, language, layout.MUTED)


def colour_series(series: Any, colour: str, width: float = 1.75) -> None:
    """Line of a series, and the fill of its markers."""
    series.format.line.color.rgb = RGBColor.from_string(colour)
    series.format.line.width = Pt(width)


def colour_marker(series: Any, colour: str, style: Any, size: int) -> None:
    series.marker.style, series.marker.size = style, size
    series.marker.format.fill.solid()
    series.marker.format.fill.fore_color.rgb = RGBColor.from_string(colour)
    series.marker.format.line.color.rgb = RGBColor.from_string(colour)


def fix_plot(chart: Any, left: float, top: float, width: float, height: float) -> None:
    """Let the plot's inside take this part of the frame (fractions), so that labels have room in every program."""
    area = chart._chartSpace.chart.plotArea
    old = area.find(qn("c:layout"))
    if old is not None:
        area.remove(old)
    new = etree.Element(qn("c:layout"))
    manual = etree.SubElement(new, qn("c:manualLayout"))
    values = {"layoutTarget": "inner", "xMode": "edge", "yMode": "edge", "x": left, "y": top, "w": width, "h": height}
    for name, value in values.items():
        etree.SubElement(manual, qn(f"c:{name}")).set("val", value if isinstance(value, str) else f"{value:.4f}")
    area.insert(0, new)


def label_room(labels: list[str], size: float, most: float) -> float:
    """Inches that the longest label takes on one line, at most `most`, where it breaks."""
    return min(max(text_width(text, size) for text in labels) * MARGIN / POINTS + 0.1, most)


def _line(line: Any, colour: str) -> None:
    line.color.rgb = RGBColor.from_string(colour)
    line.width = Pt(0.75)
