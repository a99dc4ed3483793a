"""Native bar charts with error bars, one bar for each row of a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.dml.color import RGBColor
from pptx.enum.chart import XL_CHART_TYPE
from pptx.oxml.ns import qn

from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.chart_style import SIZE, fix_plot, label_room, place, style_axis, style_chart
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.scale import decimals, set_scale
from cifar100.report.renderers.slides.workbook import SafeCategoryData

MOST_BARS = 24  # beyond, labels would be smaller than can be read


@dataclass(frozen=True)
class Bar:
    """A value with its interval; `low` and `high` are nan or infinite where there is none."""

    label: str
    value: float
    low: float = math.nan
    high: float = math.nan
    colour: str = layout.BLUE


def add_bars(page: Page, box: Box, bars: Sequence[Bar], series: str, axis: str) -> Any:
    """A chart of horizontal bars, the first on top. The value axis begins at zero, as lengths are what is compared.

    Bars are written from the last to the first, as programs draw them from the foot upwards.
    """
    bars = bars[::-1]
    data = SafeCategoryData(number_format="0.00")
    data.categories = [bar.label for bar in bars]
    data.add_series(series, [bar.value for bar in bars])
    frame = page.slide.shapes.add_chart(XL_CHART_TYPE.BAR_CLUSTERED, *place(box), data)
    chart = frame.chart
    size = SIZE if len(bars) <= 16 else 9.0
    style_chart(chart, size)
    style_axis(chart.category_axis, "", page.language)
    ends = [each for bar in bars for each in (bar.value, bar.low, bar.high)]
    style_axis(chart.value_axis, axis, page.language, decimals(ends, True), grid=True)
    set_scale(chart.value_axis, ends, from_zero=True)
    plot, written = chart.plots[0], chart.plots[0].series[0]
    plot.gap_width = min(500, 50 + 300 // len(bars))  # few bars do not become blocks
    written.invert_if_negative = False
    for point, bar in zip(_points(written, len(bars)), bars, strict=True):
        point.format.fill.solid()
        point.format.fill.fore_color.rgb = RGBColor.from_string(bar.colour)
    _add_error_bars(written._element, bars)
    room = label_room([bar.label for bar in bars], size, 0.4 * box.width) / box.width
    below = 0.62 / box.height
    fix_plot(chart, room + 0.01, 0.01, 0.96 - room, 0.99 - below)
    return chart


def _points(series: Any, count: int) -> list[Any]:
    return [series.points[i] for i in range(count)]


def _add_error_bars(series: Any, bars: Sequence[Bar]) -> None:
    """Write c:errBars, for which python-pptx has no call; left out altogether where no bar has an interval."""
    plus = {i: bar.high - bar.value for i, bar in enumerate(bars) if math.isfinite(bar.high)}
    minus = {i: bar.value - bar.low for i, bar in enumerate(bars) if math.isfinite(bar.low)}
    if not plus and not minus:
        return
    bars_xml = etree.Element(qn("c:errBars"))
    for name, value in (("errBarType", "both"), ("errValType", "cust"), ("noEndCap", "0")):
        etree.SubElement(bars_xml, qn(f"c:{name}")).set("val", value)
    for name, lengths in (("plus", plus), ("minus", minus)):
        _add_numbers(etree.SubElement(bars_xml, qn(f"c:{name}")), lengths, len(bars))
    line = etree.SubElement(etree.SubElement(bars_xml, qn("c:spPr")), qn("a:ln"), {"w": "15875"})
    etree.SubElement(etree.SubElement(line, qn("a:solidFill")), qn("a:srgbClr")).set("val", layout.INK)
    series.find(qn("c:cat")).addprevious(bars_xml)


def _add_numbers(parent: Any, lengths: dict[int, float], count: int) -> None:
    literal = etree.SubElement(parent, qn("c:numLit"))
    etree.SubElement(literal, qn("c:formatCode")).text = "General"
    etree.SubElement(literal, qn("c:ptCount")).set("val", str(count))
    for index, length in lengths.items():
        point = etree.SubElement(literal, qn("c:pt"), {"idx": str(index)})
        etree.SubElement(point, qn("c:v")).text = repr(float(length))
