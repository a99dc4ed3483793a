"""Native XY charts of points and lines: a series, with a colour of its own, for each name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree
from pptx.enum.chart import XL_CHART_TYPE, XL_MARKER_STYLE
from pptx.oxml.ns import qn

from cifar100.report.renderers.slides.chart_style import colour_marker, colour_series, place, style_axis, style_chart
from cifar100.report.renderers.slides.layout import Box
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.scale import decimals, set_scale
from cifar100.report.renderers.slides.workbook import SafeXyData

MARKERS = (XL_MARKER_STYLE.CIRCLE, XL_MARKER_STYLE.SQUARE, XL_MARKER_STYLE.DIAMOND, XL_MARKER_STYLE.TRIANGLE)
SIGNS = "●■◆▲"  # the same in a legend that is text


@dataclass(frozen=True)
class Cloud:
    """Points under one name, with markers of `marker` points (0: none), joined from left to right where `line` says."""

    name: str
    points: tuple[tuple[float, float], ...]
    colour: str
    line: bool = False
    marker: int = 9
    shape: int = 0
    dashed: bool = False


def add_scatter(page: Page, box: Box, clouds: Sequence[Cloud], x: str, y: str) -> Any:
    """A chart of points. Its axes need not begin at zero: places are compared, not lengths.

    Series with more points come first: LibreOffice drops the points of a series that a longer one follows.
    """
    clouds = sorted(clouds, key=lambda cloud: -len(cloud.points))
    data = SafeXyData(number_format="General")
    for cloud in clouds:
        series = data.add_series(cloud.name)
        for across, up in sorted(cloud.points):
            series.add_data_point(across, up)
    chart = page.slide.shapes.add_chart(XL_CHART_TYPE.XY_SCATTER, *place(box), data).chart
    style_chart(chart)
    across = [point[0] for cloud in clouds for point in cloud.points]
    up = [point[1] for cloud in clouds for point in cloud.points]
    style_axis(chart.category_axis, x, page.language, decimals(across, False))
    style_axis(chart.value_axis, y, page.language, decimals(up, False), grid=True)
    set_scale(chart.category_axis, across, from_zero=False)
    set_scale(chart.value_axis, up, from_zero=False)
    for written, cloud in zip(chart.plots[0].series, clouds, strict=True):
        _style(written, cloud)
    return chart


def _style(written: Any, cloud: Cloud) -> None:
    if cloud.line:
        colour_series(written, cloud.colour)
    else:
        written.format.line.fill.background()
    if cloud.dashed:
        line = written._element.find(f"{qn('c:spPr')}/{qn('a:ln')}/{qn('a:solidFill')}")
        line.addnext(etree.Element(qn("a:prstDash"), {"val": "sysDash"}))
    if cloud.marker:
        colour_marker(written, cloud.colour, MARKERS[cloud.shape % len(MARKERS)], cloud.marker)
    else:
        written.marker.style = XL_MARKER_STYLE.NONE
