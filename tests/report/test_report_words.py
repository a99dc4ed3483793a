"""Both languages say everything, and nothing is told of a method that the program does not have."""

import ast
import re
from pathlib import Path

import pytest
from latex2mathml.converter import convert

import cifar100.report
from cifar100.report.document.words import LANGUAGES, Words, in_language, load_words
from cifar100.report.document.works import PLAIN, load_works, method_entries, methods_of, undescribed

PACKAGE = Path(cifar100.report.__file__).parent
CONF = PACKAGE.parents[1] / "conf"
METHODS = method_entries()
TARGETS = {
    target
    for group in ("attention", "mixer", "block", "stage")
    for file in (CONF / group).glob("*.yaml")
    for target in re.findall(r"_target_: (cifar100\.\S+)", file.read_text(encoding="utf-8"))
}
# Those that the study is about; a new design may come without a text, and is then named.
DESCRIBED = {
    "resnet", "eca", "se", "cbam", "coordinate", "simam", "ghostnet", "convnext", "cspnet", "resnest", "mlp_mixer",
    "ghost_eca", "large_kernel_split_attention", "segnext", "lsknet", "hornet", "coatnet",
}  # fmt: skip


def test_the_languages_have_the_same_texts_with_the_same_placeholders():
    english, chinese = map(load_words, LANGUAGES)
    assert set(english) == set(chinese)
    for key in english:
        left, right = ({*re.findall(r"{(\w+)", words[key])} - {"n"} for words in (english, chinese))
        assert left == right, f"{key} fills {left} in English and {right} in Chinese"


def test_chinese_texts_are_chinese():
    words = load_words("zh")
    for key in (key for key in words if not key.endswith((".tiny_imagenet", ".command", ".mixup", ".cutmix"))):
        text = re.sub(r"\{[^}]*\}", "", words[key])
        is_text = re.search("[A-Za-z]{4}", text) and " " in text.strip()
        assert not is_text or re.search("[\u4e00-\u9fff]", text), f"{key} is not translated: {text}"


def test_every_text_that_the_report_asks_for_is_there():
    """Also in what no record of the tests brings about: a key that is spelled out in the sources is one of words/."""
    words, asked = load_words("en"), set()
    places = {"words": "", "note": "tables.notes."} | dict.fromkeys(("text", "line", "paragraph", "notice"), "report.")
    trees = (ast.parse(file.read_text(encoding="utf-8")) for file in PACKAGE.rglob("*.py"))
    for call in (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        name, key = getattr(call.func, "attr", getattr(call.func, "id", "")), getattr(call.args[0], "value", None)
        if name in places and isinstance(key, str) and "." in key:
            asked.add(places[name] + key)
    assert len(asked) > 80 and not asked - set(words)


def test_fields_are_filled_in_once_and_numbers_choose_the_form():
    words = Words("en", {"rows": "{n:,} {n:row|rows{note}} of {name}"})
    assert words("rows", n=1, name="{n}") == "1 row of {n}", "what is filled in is not looked at again"
    assert words("rows", n=1200, name="x", note="*") == "1,200 rows* of x"
    thing = object()
    assert words.parts("rows", n=2, name=thing, note="")[-2:] == (" of ", thing)
    with pytest.raises(KeyError):
        words("rows", n=2, note="")


def test_folded_chinese_has_no_spaces_but_beside_latin():
    assert (
        in_language({"zh": "前面的层。 基本块含两个 3x3 卷积，各带归一化"}, "zh")
        == "前面的层。基本块含两个 3x3 卷积，各带归一化"
    )
    with pytest.raises(ValueError, match="language=fr is unknown; choose one of en, zh"):
        load_words("fr")


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_is_told_in_full(name):
    entry = METHODS[name]
    assert set(entry["targets"]) <= TARGETS, "its parts are parts of this program"
    assert entry["references"] and set(entry["references"]) <= set(load_works())
    for part in (
        entry["title"],
        entry["text"],
        *({key: each[key] for key in each if key != "latex"} for each in entry["equations"]),
    ):
        assert set(part) == set(LANGUAGES) and all(text.strip() for text in part.values())
    assert re.search("[\u4e00-\u9fff]", entry["text"]["zh"])
    for equation in entry["equations"]:
        mathml = convert(equation["latex"])
        assert "<merror" not in mathml and not re.search(r"<m[oi]\s*/>", mathml) and "\\" not in mathml


def test_the_designs_of_the_study_are_told_and_others_are_named():
    assert set(METHODS) >= DESCRIBED
    network = {"stage": {"_target_": "cifar100.models.stage.strided.StridedStage", "blocks": [{"_target_": each}
               for each in (*TARGETS, "cifar100.models.attention.new.NewAttention", "torch.nn.Identity")]}}  # fmt: skip
    assert undescribed([network]) == ["NewAttention"]
    assert PLAIN <= TARGETS


def test_methods_are_found_in_a_resolved_network():
    conv = {"_target_": "cifar100.models.mixer.conv.ConvMixer", "groups": 1}
    eca = {"_target_": "cifar100.models.attention.eca.EfficientChannelAttention"}
    ghost = {"_target_": "cifar100.models.mixer.ghost_eca.GhostEcaMixer", "eca": eca}
    basic = {"_target_": "cifar100.models.block.basic.BasicBlock", "mixer": conv}
    assert [each.name for each in methods_of([{"stage": {"block": basic}}], "en")] == ["resnet"]
    hybrid = {"stage": {"block": basic | {"mixer": ghost}}}
    assert [each.name for each in methods_of([hybrid], "zh")] == ["resnet", "eca", "ghostnet", "ghost_eca"]
    grouped = {"blocks": [basic | {"mixer": conv | {"groups": 8}}]}
    assert [each.name for each in methods_of([grouped], "en")] == ["resnet", "resnext"]


def test_references_are_whole_and_distinct():
    works = load_works()
    for work in works.values():
        assert work.authors and work.title and 1900 < work.year < 2030 and work.source
        if work.url:
            identifier = work.url.rpartition("/")[2]
            assert re.fullmatch(r"\d{4}\.\d{4,5}", identifier)
            assert 0 <= work.year - 2000 - int(identifier[:2]) <= 2, (
                f"{work.key}: printed within two years of its preprint"
            )
    assert len({work.title for work in works.values()}) == len(works)
