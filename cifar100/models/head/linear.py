"""The head that all choices of the group are cases of: pooling and one linear layer."""

from collections.abc import Callable

from torch import Tensor, nn

from cifar100.models.checks import check_rate


class LinearHead(nn.Module):
    """Global average pooling and a linear classifier: ``(n, in_channels, h, w)`` to logits ``(n, num_classes)``
    (ResNet, arXiv 1512.03385, section 4.2).

    Args:
        in_channels: channels of the last feature map.
        num_classes: classes to tell apart.
        norm: port ``(channels)`` before pooling, or null: what pre-activation networks need (arXiv 1603.05027).
        activation: port ``()`` after that norm, or null.
        pooled_norm: port ``(channels)`` on the pooled features, or null: ConvNeXt's last norm (arXiv 2201.03545).
        dropout: rate of dropout on the pooled features.
        bias: whether the classifier has one.

    Raises:
        ValueError: a dropout rate outside [0, 1).
    """

    def __init__(
        self,
        in_channels: int,
        num_classes: int,
        *,
        norm: Callable[[int], nn.Module] | None = None,
        activation: Callable[[], nn.Module] | None = None,
        pooled_norm: Callable[[int], nn.Module] | None = None,
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        super().__init__()
        check_rate("head.dropout", dropout)
        self.norm = norm(in_channels) if norm else nn.Identity()
        self.activation = activation() if activation else nn.Identity()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.pooled_norm = pooled_norm(in_channels) if pooled_norm else nn.Identity()
        self.dropout = nn.Dropout(dropout) if dropout else nn.Identity()
        self.classifier = nn.Linear(in_channels, num_classes, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pooled_norm(self.pool(self.activation(self.norm(x))))
        return self.classifier(self.dropout(x.flatten(1)))
