"""Where the shape changes around an operator that keeps it: on shortcuts without a norm, and at the door of a mixer."""

from torch import nn

from cifar100.models.shape import Shape


def pooled_projection(shape: Shape) -> nn.Module:
    """Average pooling where ``shape`` strides and a 1x1 convolution where it changes channels: ``Proj(Pool(x))`` of
    CoAtNet (Dai et al., arXiv 2106.04803, appendix A.1). The identity where the shape is kept.
    """
    layers: list[nn.Module] = [nn.AvgPool2d(shape.stride)] if shape.stride > 1 else []
    if shape.in_channels != shape.out_channels:
        layers.append(nn.Conv2d(shape.in_channels, shape.out_channels, 1))
    return nn.Sequential(*layers) if layers else nn.Identity()
