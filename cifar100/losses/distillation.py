"""Knowledge distillation: a trained network's logits as a further target."""

from typing import Any

import torch
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.base.values import is_number
from cifar100.losses.cross_entropy import check_label_smoothing


class TaughtLoss(nn.Module):
    """Cross entropy with the labels and a term of the teacher's logits: what every distillation here is.

    Without a teacher's logits, as in validation, it is the cross entropy alone.

    Args:
        temperature: T, above 0, by which both logits are divided.
        label_smoothing: of the cross entropy, in [0, 1).

    Raises:
        UserError: an option out of range.
    """

    def __init__(self, temperature: float, label_smoothing: float) -> None:
        super().__init__()
        check_label_smoothing(label_smoothing)
        self.temperature = _checked("temperature", temperature, above_zero=True)
        self.label_smoothing = label_smoothing

    def forward(self, logits: Tensor, targets: Tensor, teacher_logits: Tensor | None = None) -> Tensor:
        """Mean loss, a scalar: logits and teacher_logits (n, classes), targets (n,) indices or (n, classes) shares."""
        labels = nn.functional.cross_entropy(logits, targets, label_smoothing=self.label_smoothing)
        if teacher_logits is None:
            return labels
        return self.taught(labels, logits / self.temperature, teacher_logits / self.temperature, targets)

    def taught(self, labels: Tensor, ours: Tensor, theirs: Tensor, targets: Tensor) -> Tensor:
        """The whole loss, from the cross entropy and both logits over the temperature."""
        raise NotImplementedError


class Distillation(TaughtLoss):
    """Hinton's distillation (arXiv 1503.02531, section 2).

    ``(1 - weight) * CE(z, y) + weight * T**2 * KL(softmax(t / T) || softmax(z / T))`` of the student's logits z, the
    targets y and the teacher's logits t, a mean over images. T**2 keeps the gradients' size from depending on T, as the
    paper has it.

    Args:
        weight: of the teacher, in [0, 1].
    """

    def __init__(
        self,
        temperature: float = 4.0,
        weight: float = 0.9,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(temperature, label_smoothing)
        self.weight = _checked("weight", weight)
        if weight > 1:
            raise UserError(f"loss.weight={weight} must lie in [0, 1]; the labels count by what is left of 1")

    def taught(self, labels: Tensor, ours: Tensor, theirs: Tensor, targets: Tensor) -> Tensor:
        return (1 - self.weight) * labels + self.weight * self.temperature**2 * divergence(ours, theirs)


class DecoupledDistillation(TaughtLoss):
    """Decoupled knowledge distillation (Zhao et al., arXiv 2203.08679, equations 5 to 7).

    ``CE(z, y) + T**2 * (alpha * TCKD + beta * NCKD)``: TCKD is the divergence of the two-way distributions "target
    class or another", NCKD that of the distributions over the other classes; Hinton's term weighs NCKD by how unsure
    the teacher is of the target, which the paper undoes. T is 4 in the paper on CIFAR-100.

    Deviations: the target class of a mixed image is that of its largest share. The paper's code lets the teacher's part
    rise over the first 20 epochs; ``scheduler.warmup_epochs`` is what is there for a gentle start.

    Args:
        alpha: of the target class, at least 0; 1 in the paper.
        beta: of the other classes, at least 0; 1 to 8 in the paper on CIFAR-100, 8 for most pairs.
    """

    def __init__(
        self,
        temperature: float = 4.0,
        alpha: float = 1.0,
        beta: float = 8.0,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(temperature, label_smoothing)
        self.alpha, self.beta = _checked("alpha", alpha), _checked("beta", beta)

    def taught(self, labels: Tensor, ours: Tensor, theirs: Tensor, targets: Tensor) -> Tensor:
        classes = (targets if targets.ndim == 1 else targets.argmax(1))[:, None]
        of_target = divergence(_two_way(ours, classes), _two_way(theirs, classes))
        of_others = divergence(_others(ours, classes), _others(theirs, classes))
        return labels + self.temperature**2 * (self.alpha * of_target + self.beta * of_others)


def divergence(logits: Tensor, teacher_logits: Tensor) -> Tensor:
    """``KL(softmax(teacher_logits) || softmax(logits))``, a mean over the first dimension."""
    ours, theirs = logits.log_softmax(1), teacher_logits.log_softmax(1)
    return nn.functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)


def _two_way(logits: Tensor, target: Tensor) -> Tensor:
    """Logits (n, 2) of "the target class" and "another", from logits (n, classes) and the target class (n, 1)."""
    return torch.cat([logits.gather(1, target), _others(logits, target).logsumexp(1, keepdim=True)], dim=1)


def _others(logits: Tensor, target: Tensor) -> Tensor:
    """Logits (n, classes - 1) of the other classes. Not by a mask, for whose count a GPU would be waited for."""
    index = torch.arange(logits.shape[1] - 1, device=logits.device).expand(len(logits), -1)
    return logits.gather(1, index + (index >= target))


def _checked(name: str, value: Any, *, above_zero: bool = False) -> float:
    if not is_number(value) or not 0 <= value < float("inf") or (above_zero and value == 0):
        raise UserError(f"loss.{name}={value} must be a number {'above' if above_zero else 'of at least'} 0")
    return float(value)
