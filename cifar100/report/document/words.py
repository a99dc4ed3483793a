"""All text of the report and the slides by dotted key, from words/: a text is `{en: ..., zh: ...}`, or one for all."""

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

FOLDER = Path(__file__).parent
LANGUAGES = ("en", "zh")


class Words(dict[str, str]):
    """The templates of one language by key; `words("key", n=3)` fills one in.

    `{n:seed|seeds}` is the first for 1, else the second, and either may have placeholders of its own. What is filled in
    is never looked at again, so that a run's label may hold braces.
    """

    def __init__(self, language: str, texts: Mapping[str, str]) -> None:
        super().__init__(texts)
        self.language = language

    def __call__(self, key: str, **fields: Any) -> str:
        """The text in full. Raises KeyError for an unknown key or a placeholder without a field."""
        return "".join(str(part) for part in self.parts(key, **fields))

    def parts(self, key: str, **fields: Any) -> tuple[Any, ...]:
        """The text as a sequence of strings and fields, for fields that are no text, such as links.

        A field with a format in the text (`{share:.1f}`) comes formatted, every other one as it is.
        """
        found = list(_filled(self[key], fields))
        return tuple(_unspaced(found) if self.language == "zh" else found)


@lru_cache
def load_words(language: str) -> Words:
    """The words of `language`. Raises UserError for a language that there are none in."""
    if language not in LANGUAGES:
        raise UserError(f"language={language} is unknown; choose one of {', '.join(LANGUAGES)}")
    texts: dict[str, str] = {}
    for file in sorted((FOLDER / "words").glob("*.yaml")):
        texts |= _texts(yaml.safe_load(file.read_text(encoding="utf-8")), language)
    return Words(language, texts)


def in_language(node: Any, language: str) -> str:
    """The text of a node of YAML, without the spaces that stand where lines of Chinese were joined."""
    return _FOLD.sub("", str(node[language] if isinstance(node, Mapping) else node))


def chinese_label(label: str) -> str:
    """`GhostECA（比率 3）` for `GhostECA, ratio 3`; the label itself where labels.yaml has no Chinese for it."""
    return next((found.expand(text) for pattern, text in _labels() if (found := pattern.fullmatch(label))), label)


@lru_cache
def _labels() -> list[tuple[re.Pattern[str], str]]:
    texts = yaml.safe_load((FOLDER / "labels.yaml").read_text(encoding="utf-8"))
    return [(re.compile(pattern), text) for pattern, text in texts.items()]


def _texts(node: Any, language: str, key: str = "") -> dict[str, str]:
    if not isinstance(node, Mapping) or set(node) == set(LANGUAGES):
        return {key: in_language(node, language)}
    found = (_texts(each, language, f"{key}.{name}" if key else name) for name, each in node.items())
    return {name: text for each in found for name, text in each.items()}


def _filled(template: str, fields: Mapping[str, Any]) -> Iterator[Any]:
    for literal, name, spec, _ in Formatter().parse(template):
        if literal:
            yield literal
        if name is not None and "|" in (spec or ""):
            yield from _filled(str(spec).split("|")[fields[name] != 1], fields)
        elif name is not None:
            yield format(fields[name], spec) if spec else fields[name]


def _unspaced(parts: list[Any]) -> Iterator[Any]:
    """The parts without a space that stands between two Chinese characters, as beside a label that is Chinese."""
    for place, part in enumerate(parts):
        before, after = (parts[i] if 0 <= i < len(parts) else None for i in (place - 1, place + 1))
        if isinstance(part, str) and isinstance(before, str) and _FOLD.search(f"{before[-1:]}{part[:2]}"):
            part = part[1:]
        if isinstance(part, str) and isinstance(after, str) and _FOLD.search(f"{part[-2:]}{after[:1]}"):
            part = part[:-1]
        yield part
