"""The deck's texts: every one is used, in both languages with the same places for what is filled in."""

import re
from pathlib import Path

import pytest

import cifar100.report.renderers.slides
from cifar100.report.document.words import load_words

SOURCES = sorted(Path(cifar100.report.renderers.slides.__file__).parent.glob("*.py"))
# Keys that the code puts together.
BUILT = ("data.names.", "data.known.", "data.checkpoint.", "main.count.", "costs.columns.", "classes.columns.")


def keys() -> list[str]:
    return [key.removeprefix("slides.") for key in load_words("en").keys() if key.startswith("slides.")]


def used() -> set[str]:
    text = "\n".join(source.read_text(encoding="utf-8") for source in SOURCES)
    return set(re.findall(r"""["'](?:slides\.)?([a-z_]+(?:\.[a-z0-9_]+)*)["']""", text)) | {
        f"{part}.title" for part in re.findall(r'^        "([a-z_]+)": ', text, re.MULTILINE)
    }


def test_every_text_is_used():
    found = used()
    assert not [key for key in keys() if key not in found and not key.startswith(BUILT)]
    assert len(keys()) > 60


@pytest.mark.parametrize("key", keys())
def test_both_languages_fill_in_the_same(key):
    english, chinese = (load_words(language) for language in ("en", "zh"))
    assert english.placeholders(f"slides.{key}") == chinese.placeholders(f"slides.{key}") | (
        {"n"} & english.placeholders(f"slides.{key}")
    )


def test_chinese_texts_are_chinese():
    words = load_words("zh")
    names = {"slides.data.names.cifar100", "slides.data.names.cifar10", "slides.data.names.tiny_imagenet"}
    plain = {"slides.opening.member", "slides.conclusion.ablation", "slides.methods.heading", "slides.opening.facts"}
    for key in (key for key in words.keys() if key.startswith("slides.")):
        if key not in names | plain:
            assert re.search(r"[\u4e00-\u9fff（）：]", words.template(key)), key
