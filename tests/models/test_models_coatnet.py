"""CoAtNet's recipe, and the groups of its late stages."""

import pytest
from torch import nn

from cifar100.config import check_typed_choices
from cifar100.models.block.basic import BasicBlock
from cifar100.models.block.mbconv import MBConvBlock
from cifar100.models.block.metaformer import MetaFormerBlock
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
        (["block@late_block=mbconv", "mixer@late_mixer=depthwise3x3"], MBConvBlock, (0, 1, 2, 3)),
        (["block=basic", "mixer=conv"], BasicBlock, (0, 1)),
        (["block=metaformer", "mixer=depthwise"], MetaFormerBlock, (0, 1, 2, 3)),
        (["block@late_block=van", "stage@late_stage=separate"], MetaFormerBlock, (2, 3)),
        (["stage@late_stage=separate", "stage=separate"], MetaFormerBlock, (2, 3)),
        (["mixer@late_mixer=depthwise"], DepthwiseMixer, (0, 1, 2, 3)),
        (["attention@late_attention=se", "attention=eca"], nn.Linear, (2, 3)),
        (["norm@late_norm=bn"], nn.BatchNorm2d, (0, 1, 2, 3)),
        (["mixer@late_mixer=token_mlp"], nn.Conv1d, (2, 3)),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_late_groups_are_overridden_alone(overrides, kind, stages, make_network, check_step):
    network = make_network(*SMALL, *overrides)
    found = [index for index, stage in enumerate(network.stages) if any(isinstance(m, kind) for m in stage.modules())]
    assert tuple(found) == stages
    check_step(network)


def test_late_options_are_swept_alone(make_network):
    network = make_network(*SMALL, "late_mixer.head_channels=16", "late_block.expansion=2", "block.expansion=3")
    assert [block.mixer.heads for stage in network.stages[2:] for block in stage] == [6, 12]
    widths = [stage[0].expand.out_channels // stage[0].project.out_channels for stage in network.stages]
    assert widths == [3, 3, 2, 2]


def test_typed_late_choice_counts_as_used(compose):
    overrides = [*SMALL, "mixer@late_mixer=conv", "late_norm.eps=1e-5"]
    check_typed_choices(compose(*overrides), overrides)


def test_one_stage_more_is_refused(make_network, check_refusal):
    with pytest.raises(ValueError) as refused:
        make_network("model=coatnet", "model.depths=[1,1,1]", "model.widths=[8,16,32]")
    check_refusal(refused.value)
