"""Sections of Markdown files that scripts keep up to date, between ``<!-- name -->`` and ``<!-- end -->``."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path


def write_sections(sections: Mapping[str, Callable[[], str]], files: list[str]) -> None:
    """Replaces the sections that stand in the files; prints all of them where no file is named."""
    for file in map(Path, files):
        text = file.read_text(encoding="utf-8")
        for name, section in sections.items():
            place = re.compile(rf"(<!-- {name} -->\n).*?(<!-- end -->)", re.DOTALL)
            text = place.sub(lambda match, section=section: f"{match[1]}{section()}\n{match[2]}", text)
        file.write_text(text, encoding="utf-8")
    if not files:
        print("\n\n".join(section() for section in sections.values()))
