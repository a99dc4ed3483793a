"""Distillation against the papers' equations."""

import pytest
import torch
from torch import nn

from cifar100.losses.distillation import DecoupledDistillation, Distillation

GENERATOR = torch.Generator().manual_seed(0)
LOGITS, TEACHER = (3 * torch.randn(7, 5, generator=GENERATOR, dtype=torch.float64) for _ in range(2))
LABELS = torch.tensor([0, 1, 2, 3, 4, 0, 2])
LOSSES = [Distillation, DecoupledDistillation]


def kullback(theirs, ours):
    return (theirs * (theirs / ours).log()).sum(1).mean()


def test_hintons_equation():
    ours, theirs = ((each / 4).softmax(1) for each in (LOGITS, TEACHER))
    expected = 0.3 * nn.functional.cross_entropy(LOGITS, LABELS) + 0.7 * 16 * kullback(theirs, ours)
    torch.testing.assert_close(Distillation(4.0, 0.7)(LOGITS, LABELS, TEACHER), expected)


def test_decoupled_equations():
    ours, theirs = ((each / 2).softmax(1) for each in (LOGITS, TEACHER))
    rows = torch.arange(7)
    p, q = theirs[rows, LABELS], ours[rows, LABELS]
    target = kullback(torch.stack([p, 1 - p], 1), torch.stack([q, 1 - q], 1))
    rest = torch.ones(7, 5).bool()
    rest[rows, LABELS] = False
    others = kullback(*((each[rest].view(7, 4) / (1 - each[rows, LABELS])[:, None]) for each in (theirs, ours)))
    expected = nn.functional.cross_entropy(LOGITS, LABELS) + 4 * (1.5 * target + 6 * others)
    torch.testing.assert_close(DecoupledDistillation(2.0, 1.5, 6.0)(LOGITS, LABELS, TEACHER), expected)


def test_the_decoupled_parts_sum_up_to_hintons():
    """Equation 6: KD = TCKD + (1 - p) NCKD, with p the teacher's probability of the target class, image by image."""
    for index in range(7):
        one = slice(index, index + 1)
        p = TEACHER[one].softmax(1)[0, LABELS[index]].item()
        parts = DecoupledDistillation(1.0, 1.0, 1 - p)(LOGITS[one], LABELS[one], TEACHER[one])
        whole = Distillation(1.0, 1.0)(LOGITS[one], LABELS[one], TEACHER[one])
        torch.testing.assert_close(parts - nn.functional.cross_entropy(LOGITS[one], LABELS[one]), whole)


@pytest.mark.parametrize("loss", LOSSES)
def test_without_a_teacher_it_is_cross_entropy(loss):
    expected = nn.functional.cross_entropy(LOGITS, LABELS, label_smoothing=0.1)
    torch.testing.assert_close(loss(label_smoothing=0.1)(LOGITS, LABELS), expected)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_student_like_its_teacher_is_left_alone(loss):
    student = TEACHER.clone().requires_grad_()
    shares = nn.functional.one_hot(LABELS, 5) * 0.75 + 0.05
    extra = loss()(student, shares, TEACHER) - (0.1 if loss is Distillation else 1) * loss()(student, shares)
    extra.backward()
    assert extra.item() == pytest.approx(0, abs=1e-9) and student.grad.abs().max() < 1e-9


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("scale", [1e4, -1e4])
def test_large_logits_are_no_trouble(loss, scale):
    student = (scale * LOGITS).float().requires_grad_()
    value = loss()(student, LABELS, (scale * TEACHER).float())
    value.backward()
    assert value.isfinite() and student.grad.isfinite().all()


@pytest.mark.parametrize(
    ("loss", "option", "message"),
    [
        (Distillation, {"temperature": 0}, "loss.temperature=0 must be a number above 0"),
        (Distillation, {"weight": 1.5}, "loss.weight=1.5"),
        (Distillation, {"weight": "half"}, "loss.weight=half"),
        (DecoupledDistillation, {"temperature": float("inf")}, "loss.temperature=inf"),
        (DecoupledDistillation, {"alpha": -1}, "loss.alpha=-1"),
        (DecoupledDistillation, {"beta": True}, "loss.beta=True"),
        (DecoupledDistillation, {"label_smoothing": 1}, "loss.label_smoothing=1"),
    ],
)
def test_refused_in_one_line(loss, option, message):
    with pytest.raises(ValueError, match=message):
        loss(**option)
