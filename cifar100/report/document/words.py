"""All text of the report and the slides, in files of one language each: words/<area>.<language>.yaml."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from string import Formatter
from typing import Any

import yaml

from cifar100.base.errors import UserError

# Between two of these YAML's folding of lines leaves a space that Chinese does not have.
_WIDE = "[\u2014\u2018-\u201d\u3000-\u303f\u3400-\u9fff\uff00-\uffef]"
_FOLD = re.compile(f"(?<={_WIDE}) (?={_WIDE})")

FOLDER = Path(__file__).parent / "words"
LANGUAGES = ("en", "zh")
PLURALS = {"one", "other"}


class Words:
    """The texts of one language by dotted key. `words("key", n=3)` fills the placeholders of a text.

    A text may be a mapping of `one` and `other`, of which the field `n` chooses, as English needs. What is filled in is
    never looked at again, so that a run's label may hold braces.
    """

    def __init__(self, language: str, texts: Mapping[str, str | dict[str, str]]) -> None:
        self.language = language
        self._texts = dict(texts)

    def __call__(self, key: str, **fields: Any) -> str:
        """The text in full. Raises KeyError for an unknown key or a placeholder without a field."""
        return "".join(str(part) for part in self.parts(key, **fields))

    def parts(self, key: str, **fields: Any) -> tuple[Any, ...]:
        """The text as a sequence of strings and fields, for fields that are no text, such as links.

        A field with a format in the text (`{share:.1f}`) comes formatted, every other one as it is.
        """
        found: list[Any] = []
        for literal, name, spec, _ in Formatter().parse(self.template(key, fields.get("n"))):
            if literal:
                found.append(literal)
            if name is not None:
                found.append(format(fields[name], spec) if spec else fields[name])
        return tuple(_joined(found)) if self.language == "zh" else tuple(found)

    def template(self, key: str, n: float | None = None) -> str:
        text = self._texts[key]
        return text if isinstance(text, str) else text["one" if n == 1 else "other"]

    def has(self, key: str) -> bool:
        return key in self._texts

    def keys(self) -> Iterator[str]:
        return iter(self._texts)

    def placeholders(self, key: str) -> set[str]:
        """The names that a text, in any of its numbers, has places for."""
        text = self._texts[key]
        texts = [text] if isinstance(text, str) else text.values()
        return {name for each in texts for _, name, _, _ in Formatter().parse(each) if name is not None}


@lru_cache
def load_words(language: str) -> Words:
    """The words of `language`. Raises ValueError for a language that there are none in."""
    if language not in LANGUAGES:
        raise UserError(f"language={language} is unknown; choose one of {', '.join(LANGUAGES)}")
    texts: dict[str, str | dict[str, str]] = {}
    for file in sorted(FOLDER.glob(f"*.{language}.yaml")):
        for key, text in _flat(yaml.safe_load(file.read_text(encoding="utf-8")) or {}):
            if key in texts:
                raise KeyError(f"{file.name} gives {key} again")
            texts[key] = text
    return Words(language, texts)


def unfolded(text: str) -> str:
    """A text as YAML folds it, without the spaces that stand where lines of Chinese were joined."""
    return _FOLD.sub("", text)


def _joined(parts: list[Any]) -> Iterator[Any]:
    """The parts without a space that stands between two Chinese characters, as beside a label that is Chinese."""
    for place, part in enumerate(parts):
        before, after = (parts[i] if 0 <= i < len(parts) else None for i in (place - 1, place + 1))
        if isinstance(part, str) and isinstance(before, str) and _FOLD.search(f"{before[-1:]}{part[:2]}"):
            part = part[1:]
        if isinstance(part, str) and isinstance(after, str) and _FOLD.search(f"{part[-2:]}{after[:1]}"):
            part = part[:-1]
        yield part


def _flat(texts: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str | dict[str, str]]]:
    for name, value in texts.items():
        if isinstance(value, Mapping) and set(value) != PLURALS:
            yield from _flat(value, f"{above}{name}.")
        else:
            plural = isinstance(value, Mapping)
            text = {number: unfolded(each) for number, each in value.items()} if plural else unfolded(str(value))
            yield f"{above}{name}", text
