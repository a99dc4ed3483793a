"""What the pages are made of, and the deck that they are added to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cifar100.base.errors import UserError
from cifar100.base.text import plain_line
from cifar100.report.document.words import Words
from cifar100.report.records.row import Row
from cifar100.report.records.study import Study
from cifar100.report.renderers.slides.page import Page
from cifar100.report.renderers.slides.shorten import ELLIPSIS


@dataclass
class Material:
    """A study, its ablations and the deck that grows; `t(key)` are the deck's own texts."""

    deck: Any
    study: Study
    ablations: tuple[Study, ...]
    words: Words
    team: tuple[tuple[str, str], ...]
    title: str
    pages: list[Page] = field(default_factory=list)

    def t(self, key: str, **fields: Any) -> str:
        return self.words(f"slides.{key}", **fields)

    def page(self, title: str, message: str = "", slide_layout: Any = None) -> Page:
        page = Page(self.deck, self.words.language, title, message, slide_layout)
        self.pages.append(page)
        return page

    def named(self, names: Sequence[str], most: int = 30) -> str:
        """Names in a row, with an ellipsis where there are more than `most`."""
        shown = [*names[:most], *([ELLIPSIS] if len(names) > most else [])]
        return self.words("findings.separator").join(shown)


def team_of(team: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, str], ...]:
    """Names and parts as plain lines. Raises ValueError for a member without a name."""
    members = []
    for member in team:
        if not isinstance(member, Mapping) or not str(member.get("name") or "").strip():
            raise UserError(f"team has {str(member)[:60]!r}; give every member as {{name: ..., part: ...}}")
        members.append((plain_line(member["name"], 60), plain_line(member.get("part") or "", 120)))
    return tuple(members)


def run_notes(material: Material, rows: Sequence[Row]) -> list[str]:
    """For the speaker notes: the run directories behind each row's numbers."""
    lines = [f"{row.label}: {', '.join(run.name for run in row.runs)}" for row in rows]
    return [material.t("notes.runs"), *lines]
