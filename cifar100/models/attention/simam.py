"""The attention without parameters."""

from torch import Tensor, nn

from cifar100.models.checks import check_positive


class SimAM(nn.Module):
    """Weighs each pixel by how far it stands out from its channel, the inverse of the least energy of a linear
    separation (Yang et al., ICML 2021, proceedings.mlr.press/v139/yang21o, equations 5 and 6):
    ``x * sigmoid((x - mean)^2 / (4 (variance + energy_lambda)) + 1/2)``. Keeps the shape ``(n, channels, h, w)``.

    Deviation, with the authors' code: the variance is that of a sample, over ``h w - 1``.

    Args:
        channels: of the feature map; not used.
        energy_lambda: lambda, added to the variance; 1e-4 in the paper.

    Raises:
        ValueError: a lambda that is not positive.
    """

    def __init__(self, channels: int, *, energy_lambda: float = 1e-4) -> None:
        super().__init__()
        check_positive("attention.energy_lambda", energy_lambda, "the paper's value is 1e-4")
        self.energy_lambda = energy_lambda
        self.gate = nn.Sigmoid()

    def forward(self, x: Tensor) -> Tensor:
        pixels = x.shape[2] * x.shape[3]
        squares = (x - x.mean((2, 3), keepdim=True)).square()
        variance = squares.sum((2, 3), keepdim=True) / max(1, pixels - 1)  # a map of one pixel has none
        return x * self.gate(squares / (4 * (variance + self.energy_lambda)) + 0.5)

    def extra_repr(self) -> str:
        return f"energy_lambda={self.energy_lambda}"
