"""Squeeze-and-excitation."""

from torch import Tensor, nn


class SqueezeExcitation(nn.Module):
    """Weighs channels by a two-layer perceptron of their means (Hu et al., arXiv 1709.01507, equations 2 to 4). Keeps
    the shape ``(n, channels, h, w)``.

    Args:
        channels: of the feature map.
        reduction: channels over hidden units, at least one unit; 16 in the paper, 1 for no bottleneck.

    Raises:
        ValueError: a reduction below 1.
    """

    def __init__(self, channels: int, *, reduction: int = 16) -> None:
        super().__init__()
        if reduction < 1:
            raise ValueError(f"attention.reduction={reduction} must be at least 1; 1 means no bottleneck")
        hidden = max(1, channels // reduction)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Linear(channels, hidden)
        self.activation = nn.ReLU()
        self.expand = nn.Linear(hidden, channels)
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        weights = self.squeeze(x).flatten(1)
        weights = self.gate(self.expand(self.activation(self.reduce(weights))))
        return x * weights[:, :, None, None]
