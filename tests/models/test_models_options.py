"""Every option that the study varies exists, changes what the network computes, and trains."""

import pytest
import torch

SMALL = ["model.depths=[1,1,1]", "model.widths=[16,32,64]", "stem=patchify2"]
# What an option is compared with, and the options.
STUDY = {
    "block=ghost": [
        *("mixer.ratio=3", "mixer.ratio=4", "mixer.cheap_kernel_size=1", "mixer.cheap_kernel_size=5"),
        *("mixer.cheap_operation=affine", "block.replace=first", "block.replace=second"),
    ],
    "block=ghost mixer=ghost_eca": ["mixer.position=primary", "mixer.ratio=3", "mixer.eca.kernel_size=5"],
    "block=ghost_bottleneck attention=se_mobilenet": [
        *("attention=none", "block.ratio=3", "block.cheap_kernel_size=5", "block.cheap_operation=affine"),
        *("block.expansion=6", "mixer.kernel_size=5"),
    ],
    "attention=eca": ["attention.kernel_size=5", "attention.kernel_size=7", "attention.gamma=1"],
    "attention=se": ["attention.reduction=1", "attention.reduction=4", "attention.gate=hardsigmoid"],
    "attention=cbam": ["attention.kernel_size=3", "attention.reduction=4", "attention.spatial_norm=false"],
    "attention=coordinate": ["attention.min_hidden=16"],
    "attention=simam": ["attention.energy_lambda=1"],
    "stage=csp": [
        *("stage.fusion=first", "stage.fusion=last", "stage.split_ratio=0.25", "stage.split_ratio=0.75"),
        *("stage.expansion=2", "downsample=conv3x3", "downsample=grouped_conv3x3", "downsample=avgpool"),
    ],
    "block=dense": ["block.growth=8", "block.expansion=2", "stage.split_ratio=1", "stage.fusion=first"],
    "block=resnest": [
        *(
            "mixer.radix=1",
            "mixer.radix=4",
            "mixer.cardinality=2",
            "mixer.reduction=1 mixer.min_hidden=8",
            "mixer.min_hidden=16",
        ),
        *("block.avd=false", "block.avd_first=true", "block.shortcut=projection"),
    ],
    "block=convnext mixer=large_kernel_split_attention": ["mixer.kernel_sizes=[7]", "mixer.kernel_sizes=[3,5,7]"],
    "block=metaformer mixer=token_mlp": ["mixer.expansion=2", "block.expansion=2", "block.layer_scale=0.1"],
    "block=van mixer=msca": ["mixer.kernel_size=3", "mixer.strip_sizes=[3,5]"],
    "block=van mixer=lsk": ["mixer.kernel_sizes=[3,5]", "mixer.dilations=[1,2]", "block.mlp_kernel_size=5"],
    "block=hornet mixer=gnconv block.layer_scale=1": ["mixer.order=2", "mixer.narrowest=4", "mixer.kernel_size=3"],
    "block=mbconv mixer=relative_self_attention": ["mixer.head_channels=16", "attention=none"],
}
PAIRS = [(base, option) for base, options in STUDY.items() for option in options]


def logits(network: torch.nn.Module) -> torch.Tensor:
    """Of random images, by weights that are random wherever they start at 0 or 1."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.min() == parameter.max():
                parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.1)
        return network.train()(torch.randn(4, 3, 32, 32, generator=generator))


@pytest.mark.parametrize(("base", "option"), PAIRS, ids=lambda typed: typed)
def test_option_changes_the_network_and_trains(base, option, make_network, check_step):
    network = make_network(*SMALL, *base.split(), *option.split())
    check_step(network)
    changed, unchanged = (logits(make_network(*SMALL, *f"{base} {more}".split())) for more in (option, ""))
    assert (changed - unchanged).abs().max() > 1e-3


@pytest.mark.parametrize("size", [3, 5, 7])
def test_kernel_size_of_eca_is_the_networks(size, make_network):
    network = make_network(*SMALL, "attention=eca", f"attention.kernel_size={size}")
    assert [stage[0].attention.conv.kernel_size for stage in network.stages] == [(size,)] * 3


@pytest.mark.parametrize(
    ("recipe", "least", "most"),
    [("mlp_mixer", 0.95, 1.05)] + [(recipe, 0.3, 1.5) for recipe in ("segnext", "lsknet", "hornet", "coatnet")],
)
def test_recipe_has_the_size_that_the_study_asks_for(recipe, least, most, make_network):
    with torch.device("meta"):
        network = make_network(f"model={recipe}")
    assert least < sum(parameter.numel() for parameter in network.parameters()) / 1e6 < most
