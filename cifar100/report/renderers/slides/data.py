"""The data set and what was allowed to be looked at."""

from __future__ import annotations

from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.renderers.slides import layout
from cifar100.report.renderers.slides.fit import Paragraph
from cifar100.report.renderers.slides.material import Material, run_notes


def add_data(material: Material) -> None:
    t = material.t
    page = material.page(t("data.title"), t("data.message"))
    left, right = layout.BODY_BOX.columns(1, 1, gap=0.6)
    lines, protocol = data_lines(material), protocol_lines(material)
    page.text(left, [Paragraph(t("data.set"), bold=True), *_bullets(lines)])
    page.text(right, [Paragraph(t("data.protocol"), bold=True), *_bullets(protocol)])
    page.add_notes(*run_notes(material, material.study.rows))


def data_lines(material: Material) -> list[str]:
    """The images: how many, of what; as far as the records or the data set's own description say."""
    t, shared = material.t, material.study.shared_recipe
    name = plain_line(shared.get("data.name") or "", 40)
    known = f"data.known.{name}"
    lines = [t(known)] if material.words.has(f"slides.{known}") else [t("data.unknown", name=name or t("unknown"))]
    classes, resolution = shared.get("data.num_classes"), shared.get("data.resolution")
    if len(lines) and not material.words.has(f"slides.{known}") and classes and resolution:
        lines.append(t("data.shape", classes=plain_line(classes, 12), resolution=plain_line(resolution, 12)))
    fingerprint = shared.get("evaluation.data_fingerprint")
    if fingerprint:
        lines.append(t("data.fingerprint", fingerprint=plain_line(str(fingerprint)[:8], 8)))
    return lines


def protocol_lines(material: Material) -> list[str]:
    t, shared = material.t, material.study.shared_recipe
    lines = [_held_out(material, shared.get("data.val_size"))]
    checkpoint = shared.get("evaluation.checkpoint")
    if checkpoint in ("last", "best"):
        lines.append(t(f"data.checkpoint.{checkpoint}"))
    tested = shared.get("evaluation.n")
    lines.append(t("data.tested", n=f"{tested:,}") if isinstance(tested, int) else t("data.tested_alike"))
    precision = shared.get("evaluation.precision")
    if precision:
        lines.append(t("data.precision", precision=plain_line(precision, 12)))
    return lines


def _held_out(material: Material, size: Any) -> str:
    if not isinstance(size, int | float) or isinstance(size, bool):
        return material.t("data.held_out_unknown")
    return material.t("data.held_out_none") if size == 0 else material.t("data.held_out", n=f"{size:,}")


def _bullets(lines: list[str]) -> list[Paragraph]:
    return [Paragraph(line, bullet=True, gap=0.5) for line in lines]
