"""What the designs of a study are called in the report's language."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import yaml

from cifar100.report.records.study import Study


def localized(study: Study, language: str) -> Study:
    """The study with the labels that labels.yaml knows in Chinese, where that is the language; no two become alike."""
    if language != "zh":
        return study
    labels = {row.label: chinese(row.label) for row in study.rows}
    if len(set(labels.values())) < len(labels):
        return study
    rows = tuple(
        replace(row, label=labels[row.label], identical_to=labels.get(row.identical_to or "", row.identical_to))
        for row in study.rows
    )
    return replace(study, rows=rows, baseline=rows[0])


def chinese(label: str) -> str:
    """`GhostECA（比率 3）` for `GhostECA, ratio 3`; the label itself where there is no Chinese for it."""
    for pattern, text in _patterns():
        if found := pattern.fullmatch(label):
            return found.expand(text)
    return label


@lru_cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    texts = yaml.safe_load(Path(__file__).with_name("labels.yaml").read_text(encoding="utf-8"))
    return [(re.compile(pattern), text) for pattern, text in texts.items()]
