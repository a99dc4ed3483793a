"""CoAtNet's recipe, and the late stages' block with all that it brings."""

import pytest
from hydra.errors import ConfigCompositionException
from torch import nn

from cifar100.mistakes import explain
from cifar100.models.block.basic import BasicBlock
from cifar100.models.block.mbconv import MBConvBlock
from cifar100.models.block.metaformer import MetaFormerBlock
from cifar100.models.mixer.conv import ConvMixer
from cifar100.models.mixer.depthwise import DepthwiseMixer

SMALL = ["model=coatnet", "model.depths=[1,1,1,1]"]


def test_coatnet_is_two_stages_of_each_kind(make_network):
    network = make_network("model=coatnet")
    kinds = [MBConvBlock, MBConvBlock, MetaFormerBlock, MetaFormerBlock]
    for stage, kind in zip(network.stages, kinds, strict=True):
        assert {type(block) for block in stage} == {kind}
    sizes = [block.mixer.relative_bias.shape for stage in network.stages[2:] for block in stage]
    assert sizes == [(3, 15**2)] * 3 + [(6, 7**2)]
    parameters = sum(parameter.numel() for parameter in network.parameters())
    assert 300_000 < parameters < 1_500_000


@pytest.mark.parametrize(
    ("overrides", "kind", "stages"),
    [
        (["block@late_block=basic"], BasicBlock, (2, 3)),
        (["block@late_block=basic"], ConvMixer, (2, 3)),
        (["block@late_block=mbconv"], MBConvBlock, (0, 1, 2, 3)),
        (["block@late_block=mbconv"], DepthwiseMixer, (0, 1, 2, 3)),
        (["block=basic", "mixer=conv"], BasicBlock, (0, 1)),
        (["block=convnext"], nn.Linear, ()),
        (["block=metaformer", "mixer=depthwise"], MetaFormerBlock, (0, 1, 2, 3)),
        (["stage@late_block.stage=separate", "stage=separate"], MetaFormerBlock, (2, 3)),
        (["mixer@late_block.mixer=depthwise"], DepthwiseMixer, (0, 1, 2, 3)),
        (["attention@late_block.attention=se", "attention=eca"], nn.Linear, (2, 3)),
        (["downsample@late_block.downsample=avgpool", "block@late_block=van"], nn.AvgPool2d, (1, 2, 3)),
        (["norm@late_block.norm=bn"], nn.BatchNorm2d, (0, 1, 2, 3)),
        (["mixer@late_block.mixer=token_mlp"], nn.Conv1d, (2, 3)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_late_parts_are_overridden_alone(overrides, kind, stages, make_network, check_step):
    network = make_network(*SMALL, *overrides)
    found = [index for index, stage in enumerate(network.stages) if any(isinstance(m, kind) for m in stage.modules())]
    assert tuple(found) == stages
    check_step(network)


def test_late_options_are_swept_alone(make_network):
    options = ["late_block.mixer.head_channels=16", "late_block.block.expansion=2", "block.expansion=3"]
    network = make_network(*SMALL, *options)
    assert [block.mixer.heads for stage in network.stages[2:] for block in stage] == [6, 12]
    widths = [stage[0].expand.out_channels // stage[0].project.out_channels for stage in network.stages]
    assert widths == [3, 3, 2, 2]


def test_any_block_comes_late_with_what_it_brings(block_choice, compose, make_network, check_step):
    """What it brings as ``block=...`` it brings as late block, for the late stages alone; early ones are as ever."""
    typed = [*SMALL, f"block@late_block={block_choice}"]
    if block_choice == "preact":
        with pytest.raises(ConfigCompositionException) as refused:
            make_network(*typed)
        expected = "block@late_block=preact brings a head of its own, for which late_block has no place; "
        assert explain(refused.value) == expected + "choose another block@late_block"
        return
    network = make_network(*typed)
    assert str(network.stages[:2]) == str(make_network(*SMALL).stages[:2])
    late, alone = compose(*typed), compose("model=resnet20", f"block={block_choice}")
    for group in ("mixer", "attention", "stage"):
        assert late.late_block[group]._target_ == alone[group]._target_, group
    assert late.model.stage[2].block._target_ == alone.block._target_
    assert "LayerNorm2d" in str(network.stages[2:]) and "BatchNorm2d" not in str(network.stages[2:])
    check_step(network)


def test_late_dense_blocks_grow_by_their_own_rate(make_network):
    network = make_network(*SMALL, "block@late_block=dense", "late_block.block.growth=8")
    assert [stage.transition1[0].in_channels for stage in network.stages[2:]] == [48 + 8, 96 + 8]


def test_one_stage_more_is_refused(make_network, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_network("model=coatnet", "model.depths=[1,1,1]", "model.widths=[8,16,32]")
    check_refusal(refused.value)
