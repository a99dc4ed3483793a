"""Squeeze-and-excitation."""

from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_choice

GATES = {"sigmoid": nn.Sigmoid, "hardsigmoid": nn.Hardsigmoid}


class SqueezeExcitation(nn.Module):
    """Weighs channels by a two-layer perceptron of their means (Hu et al., arXiv 1709.01507, equations 2 to 4). Keeps
    the shape ``(n, channels, h, w)``.

    Args:
        channels: of the feature map.
        reduction: channels over hidden units, at least one unit; 16 in the paper, 1 for no bottleneck.
        divisor: of the number of hidden units, which is rounded to a multiple of it; MobileNetV3 (arXiv 1905.02244)
            and GhostNet round, SENet does not.
        gate: ``sigmoid``, or ``hardsigmoid`` as in MobileNetV3 (section 5.2) and GhostNet.

    Raises:
        ValueError: a reduction or divisor below 1, or another gate.
    """

    def __init__(self, channels: int, *, reduction: int = 16, divisor: int = 1, gate: str = "sigmoid") -> None:
        super().__init__()
        check_at_least("attention.reduction", reduction, 1, "1 means no bottleneck")
        check_at_least("attention.divisor", divisor, 1, "1 rounds nothing")
        check_choice("attention.gate", gate, GATES)
        hidden = nearest_multiple(max(1, channels // reduction), divisor)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.reduce = nn.Linear(channels, hidden)
        self.activation = nn.ReLU()
        self.expand = nn.Linear(hidden, channels)
        self.gate = GATES[gate]()

    def forward(self, x: Tensor) -> Tensor:
        weights = self.squeeze(x).flatten(1)
        weights = self.gate(self.expand(self.activation(self.reduce(weights))))
        return x * weights[:, :, None, None]


def nearest_multiple(width: int, divisor: int) -> int:
    """The multiple of ``divisor`` nearest to ``width``, at least one ``divisor`` and never a tenth below ``width``: how
    the authors of MobileNet round widths."""
    multiple = max(divisor, (width + divisor // 2) // divisor * divisor)
    return multiple if multiple >= 0.9 * width else multiple + divisor
