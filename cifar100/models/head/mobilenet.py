"""The head of the mobile networks: the last layers are wide, and the widest of them works on pooled features."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.checks import check_at_least, check_rate


class MobileNetHead(nn.Module):
    """A 1x1 convolution with norm and activation, global average pooling, a hidden layer with activation, a linear
    classifier: ``(n, in_channels, h, w)`` to logits ``(n, num_classes)`` (the last stage of MobileNetV3, arXiv
    1905.02244, figure 5; the last rows of GhostNet, arXiv 1911.11907, table 1).

    Deviation: widths are multiples of ``in_channels``, so that they follow ``model.widths``; GhostNet's 960 and 1280
    on 160 channels are 6 and 8, the defaults are half of them, for a tenth of ImageNet's classes.

    Args:
        in_channels: channels of the last feature map.
        num_classes: classes to tell apart.
        norm: port ``(channels)``.
        activation: port ``()``.
        expansion: channels of the convolution over ``in_channels``.
        hidden_expansion: units of the hidden layer over ``in_channels``.
        dropout: rate of dropout before the classifier.

    Raises:
        ValueError: an expansion below 1, or a dropout rate outside [0, 1).
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        norm: Callable[[int], nn.Module],
        activation: Callable[[], nn.Module],
        expansion: int = 3,
        hidden_expansion: int = 4,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        check_at_least("head.expansion", expansion, 1, "GhostNet's is 6")
        check_at_least("head.hidden_expansion", hidden_expansion, 1, "GhostNet's is 8")
        check_rate("head.dropout", dropout)
        channels, hidden = in_channels * expansion, in_channels * hidden_expansion
        self.conv = nn.Conv2d(in_channels, channels, 1, bias=False)
        self.norm = norm(channels)
        self.activation1 = activation()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.hidden = nn.Linear(channels, hidden)
        self.activation2 = activation()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.classifier = nn.Linear(hidden, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(self.activation1(self.norm(self.conv(x)))).flatten(1)
        return self.classifier(self.dropout(self.activation2(self.hidden(x))))
