"""Cross entropy."""

from torch import nn

from cifar100.base.errors import UserError


def cross_entropy(label_smoothing: float = 0.0) -> nn.CrossEntropyLoss:
    """Mean cross entropy of logits ``(n, classes)`` and targets: class indices ``(n,)`` or shares ``(n, classes)``.

    Args:
        label_smoothing: part of the target that is spread over all classes (Szegedy et al., arXiv 1512.00567,
            section 7), in [0, 1).

    Raises:
        ValueError: a part outside [0, 1).
    """
    if isinstance(label_smoothing, bool | str) or not 0 <= label_smoothing < 1:
        raise UserError(f"loss.label_smoothing={label_smoothing} must lie in [0, 1); 0 smooths nothing")
    return nn.CrossEntropyLoss(label_smoothing=label_smoothing)
