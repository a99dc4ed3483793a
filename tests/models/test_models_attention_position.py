"""The places where a block can have an attention."""

import pytest
import torch
from torch import nn

from cifar100.models.block.basic import BasicBlock
from cifar100.models.block.bottleneck import BottleneckBlock
from cifar100.models.block.convnext import ConvNeXtBlock
from cifar100.models.block.ghost import GhostBlock
from cifar100.models.block.ghost_bottleneck import GhostBottleneck
from cifar100.models.block.preact import PreActBlock
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.shape import Shape

POSITIONS = ("standard", "pre", "post", "identity", "inner")
BLOCKS = {BasicBlock: {}, GhostBlock: {}, PreActBlock: {}, BottleneckBlock: {}, ConvNeXtBlock: {"layer_scale": 1.0}}
BLOCKS |= {GhostBottleneck: {}}


class Spy(nn.Module):
    """An attention that remembers the channels it was built for and what it saw, and changes it plainly."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels, self.seen = channels, []

    def forward(self, x):
        assert x.shape[1] == self.channels
        self.seen.append(x)
        return x * 0.5


def block(kind, position, attention=Spy, shape=None):
    ports = {"mixer": ConvMixer, "norm": nn.BatchNorm2d, "activation": nn.ReLU, "attention": attention}
    torch.manual_seed(0)
    shape = shape or Shape(8, 8, 1, 8)
    return kind(shape, mixer=ports.pop("mixer"), attention_position=position, **ports, **BLOCKS[kind]).eval()


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: kind.__name__)
def test_attention_sits_where_it_is_told(kind, position):
    """Halving at a place, predicted from the block without attention, wherever that is linear; and in any case it is
    called once, on the channels of the place, also where the block strides and widens."""
    x = torch.randn(2, 8, 8, 8)
    with torch.no_grad():
        placed = block(kind, position)
        out, plain = placed(x), block(kind, position, nn.Identity)(x)
        (seen,) = placed.attention.seen
        ends_with_activation = kind in (BasicBlock, GhostBlock, BottleneckBlock)
        if position == "post":
            assert torch.equal(seen, plain) and torch.equal(out, plain / 2)
        elif position == "pre" and kind is not PreActBlock:
            assert torch.equal(seen, x)
        elif position == "identity":
            assert torch.equal(seen, x)
            if not ends_with_activation:
                torch.testing.assert_close(out, plain - x / 2)
        elif position == "standard":
            expected = seen / 2 + x
            torch.testing.assert_close(out, expected.relu() if ends_with_activation else expected)
            torch.testing.assert_close(plain, (seen + x).relu() if ends_with_activation else seen + x)
        else:
            assert not torch.equal(out, plain)
        if kind is ConvNeXtBlock:
            return
        changed = block(kind, position, shape=Shape(8, 16, 2, 8))
        assert changed(x).shape == (2, 16, 4, 4)
        assert len(changed.attention.seen) == 1


@pytest.mark.parametrize(
    ("kind", "channels"), [(BottleneckBlock, 2), (ConvNeXtBlock, 32), (GhostBottleneck, 24), (BasicBlock, 8)]
)
def test_inner_attention_sees_the_hidden_channels(kind, channels):
    assert block(kind, "inner").attention.channels == channels


@pytest.mark.parametrize("position", POSITIONS)
def test_any_block_attends_once(block_choice, position, make_port):
    """On the channels of the place, where the shape is kept and, unless the block cannot, where it changes."""
    build = make_port("block", f"block={block_choice}")
    for shape in (Shape(16, 16, 1, 8), Shape(16, 32, 2, 8)):
        try:
            block = build(shape, 0.0, attention=Spy, attention_position=position)
        except ValueError:
            assert block_choice == "convnext" and not shape.constant
            continue
        out = block(torch.randn(2, 16, 8, 8))
        assert out.shape[1] == shape.out_channels and len(block.attention.seen) == 1


def test_any_block_refuses_another_place(block_choice, make_port):
    with pytest.raises(ValueError, match="block.attention_position=last is unknown; choose one of standard, pre"):
        make_port("block", f"block={block_choice}")(Shape(16, 16, 1, 8), 0.0, attention_position="last")


def test_attention_position_is_an_option_of_the_command_line(make_network):
    sizes = []
    for position in ("pre", "standard"):
        network = make_network("attention=se", f"block.attention_position={position}", "model.depths=[1,1,1]")
        sizes.append(sum(parameter.numel() for parameter in network.parameters()))
    # Where a stage widens, what comes in has half the channels of what goes out.
    assert sizes[0] < sizes[1]
