"""The token-mixing perceptron of MLP-Mixer."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.checks import check_positive
from cifar100.models.pooled_projection import pooled_projection
from cifar100.models.shape import Shape


class TokenMLP(nn.Module):
    """A two-layer perceptron over the pixels of each channel, shared by all channels (Tolstikhin et al., arXiv
    2105.01601, equation 1, first line): ``(n, in_channels, r, r)`` to ``(n, out_channels, r / stride, ...)``.

    It holds ``2 (r / stride)^2`` times ``expansion * out_channels`` weights, so it fits one resolution only. The
    perceptron's layers are 1x1 convolutions whose channels are the pixels, which reads ``channels_last`` maps
    without a copy. Deviation: where the shape changes, which the paper's networks never do, average pooling and a 1x1
    convolution come first.

    Args:
        shape: what the mixer maps.
        activation: port ``()``; GELU in the paper.
        expansion: hidden units over channels; 0.5 in all of the paper's networks (table 1).

    Raises:
        ValueError: an expansion that is not positive.
    """

    def __init__(self, shape: Shape, *, activation: Callable[[], nn.Module], expansion: float = 0.5) -> None:
        super().__init__()
        check_positive("mixer.expansion", expansion, "0.5 is the paper's")
        tokens, hidden = shape.out_resolution**2, max(1, round(shape.out_channels * expansion))
        self.entry = pooled_projection(shape)
        self.expand = nn.Conv1d(tokens, hidden, 1)
        self.activation = activation()
        self.project = nn.Conv1d(hidden, tokens, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.entry(x).permute(0, 2, 3, 1)
        tokens = self.project(self.activation(self.expand(x.flatten(1, 2))))
        return tokens.view(x.shape).permute(0, 3, 1, 2)
