"""Block diagrams are wired as the networks are built."""

import pytest
import torch
import yaml
from omegaconf import OmegaConf
from torch import nn

from cifar100.config import build
from cifar100.models.attention.eca import EfficientChannelAttention
from cifar100.models.block.attention_position import AttentionBlock
from cifar100.models.layer_scale import LayerScale
from cifar100.models.mixer.depthwise import DepthwiseMixer
from cifar100.models.mixer.ghost import GhostMixer
from cifar100.models.mixer.split_attention import SplitAttentionMixer
from cifar100.report.document.words import LANGUAGES, load_words
from cifar100.report.document.works import FOLDER, methods_of
from cifar100.report.figures.drawings import Graph, Texts, diagram
from cifar100.report.figures.style import drawing, png

NORMS = (nn.BatchNorm2d, nn.GroupNorm, nn.LayerNorm)
ACTIVATIONS = (nn.ReLU, nn.GELU)
KINDS = {
    GhostMixer: "ghost", SplitAttentionMixer: "split_attention", DepthwiseMixer: "depthwise", LayerScale: "scale",
    EfficientChannelAttention: "attention",
}  # fmt: skip
# What a diagram tells in more words than the kind of a layer.
SAME = {"conv1_wide": "conv1", "conv1_narrow": "conv1", "ghost_linear": "ghost"}


def kind(module: nn.Module) -> str | None:
    if type(module) in KINDS:
        return KINDS[type(module)]
    if isinstance(module, nn.Conv2d):
        return f"conv{module.kernel_size[0]}"
    if type(module).__name__ == "LayerNorm2d" or isinstance(module, NORMS):
        return "norm"
    return "act" if isinstance(module, ACTIVATIONS) else None


def branch_of(block: nn.Module, x: torch.Tensor) -> list[str]:
    """The layers of a block that keeps its shape, in the order in which they are called; those inside a layer that a
    diagram shows as one box are left out."""
    called, inside = [], []

    def enter(module, _):
        if not inside and kind(module):
            called.append(kind(module))
        if kind(module) in KINDS.values():
            inside.append(module)

    def leave(module, *_):
        if inside and inside[-1] is module:
            inside.pop()

    for module in block.modules():
        if module is not block and not list(block.shortcut.modules() if hasattr(block, "shortcut") else []).count(
            module
        ):
            module.register_forward_pre_hook(enter)
            module.register_forward_hook(leave)
    with torch.no_grad():
        block.eval()(x)
    return called


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ([], "resnet"),
        (["attention=eca"], "eca"),
        (["block=ghost"], "ghostnet"),
        (["block=ghost", "block.norm_position=outside"], "ghostnet"),
        (["block=convnext", "norm=ln", "activation=gelu"], "convnext"),
        (["model=resnest20"], "resnest"),
    ],
)
def test_a_block_is_drawn_in_its_own_order(overrides, name, compose):
    config = compose(*overrides)
    network = build(config.model).eval()
    (method,) = [
        each for each in methods_of([OmegaConf.to_container(config.model, resolve=True)], "en") if each.name == name
    ]
    drawn = [token.strip().lstrip("*") for token in method.drawing["block"][0].split(">")]
    blocks = [module for module in network.stages[0].modules() if isinstance(module, AttentionBlock)]
    channels = blocks[-1](torch.zeros(1, config.model.widths[0], 8, 8)).shape[1]
    called = branch_of(blocks[-1], torch.zeros(1, channels, 8, 8))
    assert called == [SAME.get(token, token) for token in drawn if token not in ("x", "y", "add")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_diagram_of_the_methods_can_be_drawn(language):
    def panels(node):
        if "option" not in node:
            return [node]
        return [each for below in node.values() if isinstance(below, dict) for each in panels(below)]

    words, seen = load_words(language), 0
    for file in (FOLDER / "methods").glob("*.yaml"):
        for each in panels(yaml.safe_load(file.read_text(encoding="utf-8")).get("drawing", {})):
            if each:
                with drawing():
                    assert png(diagram(each, Texts(words, {"attention": "ECA"}))).startswith(b"\x89PNG")
                seen += 1
    assert seen > 14


def test_lanes_and_columns_follow_the_lines():
    graph, texts = Graph(), {name: name for name in ("x", "a", "b", "add", "y", "s")}
    graph.path("x > a > *b > add > y", texts)
    graph.path("x > s > add", texts)
    placed = {node.token: (node.column, node.lane, node.own) for node in graph.nodes}
    assert placed["s"] == (1, 1, False) and placed["b"] == (2, 0, True) and placed["add"] == (3, 0, False)
    graph.path("x > add", texts)
    assert [edge[2] for edge in graph.edges][-1] == 2 and graph.lanes == 3, "an edge beside the main path has a lane"
    with pytest.raises(IndexError):
        graph.path("x > nowhere", texts)
