"""Grad-CAM: which parts of an image speak for a class."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn

from cifar100.base.errors import UserError
from cifar100.data.images import ImageSet
from cifar100.data.loader import EvalLoader
from cifar100.evaluation.costs import evaluation_mode
from cifar100.evaluation.explanations.subject import Subject
from cifar100.evaluation.explanations.tiles import Tile, heat_over, percent, pixels, shortened, tile_figure
from cifar100.evaluation.figures import png

PER_ROW = 4  # samples side by side, three tiles each


def require_captum() -> None:
    """Raises ValueError where the library that computes Grad-CAM is not installed."""
    if find_spec("captum") is None:
        raise UserError("explain=gradcam needs captum, which is not installed; pip install captum (the extra explain)")


def gradcam(subject: Subject) -> list[str]:
    """Writes gradcam.png and, for those who want the numbers, gradcam.safetensors.

    Half of the images were answered rightly, half wrongly, each half taken at equal steps through the split. Each is
    shown with the map of the predicted class and that of another: the true class where the answer was wrong, the second
    highest logit's where it was right. gradcam.safetensors holds maps (samples, 2, h, w) float32 at the resolution of
    the last stage, the classes (samples, 2) that they speak for, and the images' indices (samples,) in the split.
    """
    require_captum()
    indices = chosen(subject)
    classes = torch.stack([subject.predictions.predicted[indices], other_class(subject, indices)], dim=1)
    images = _normalised(subject, indices)
    maps = torch.stack([gradcam_maps(subject.run.model, images, classes[:, each]) for each in (0, 1)], dim=1)
    record = subject.run.record
    record.write_bytes(subject.file("gradcam.png"), png(_figure(subject, indices, classes, maps)))
    tensors = {"maps": maps.contiguous(), "classes": classes, "indices": indices}
    state = {"split": subject.split, "checkpoint": subject.run.checkpoint}
    record.write_tensors(subject.file("gradcam.safetensors"), tensors, state)
    return ["gradcam.png", "gradcam.safetensors"]


def gradcam_maps(model: nn.Module, images: Tensor, classes: Tensor) -> Tensor:
    """Grad-CAM (Selvaraju et al., arXiv 1610.02391, equations 1 and 2) at the output of the network's last stage.

    The channels of the last feature map, each weighed by the mean gradient of the class's logit over it, summed and cut
    at zero; by captum, in the format of the weights, whatever the run was trained in.

    Args:
        model: with `stages`, whose output is a feature map (n, channels, h, w); compiled or not.
        images: normalised, (n, channels, height, width), on the model's device.
        classes: the class that each image's map shall speak for, (n,) int64.

    Returns:
        Maps (n, h, w) at the resolution of the last stage, on the CPU; no unit, and no scale between images.
    """
    from captum.attr import LayerGradCam

    model = getattr(model, "_orig_mod", model)
    with evaluation_mode(model):
        maps = LayerGradCam(model, model.stages).attribute(
            images, target=classes.to(images.device), relu_attributions=True
        )
    return maps[:, 0].detach().cpu()


def chosen(subject: Subject) -> Tensor:
    """Indices of right and wrong answers, half and half where there are enough, at equal steps through the split."""
    correct = subject.predictions.correct
    right, wrong = correct.nonzero()[:, 0], (~correct).nonzero()[:, 0]
    samples = min(subject.samples, len(correct))
    few_wrong = min(len(wrong), max(samples // 2, samples - len(right)))
    return torch.cat([_spread(right, samples - few_wrong), _spread(wrong, few_wrong)])


def _spread(indices: Tensor, count: int) -> Tensor:
    return indices[(torch.arange(count) * len(indices)) // max(count, 1)]


def other_class(subject: Subject, indices: Tensor) -> Tensor:
    """The true class of each wrong answer, the class of the second highest logit of each right one, (n,)."""
    predictions = subject.predictions
    second = predictions.logits[indices].topk(2, dim=1).indices[:, 1]
    return torch.where(predictions.correct[indices], second, predictions.labels[indices])


def _normalised(subject: Subject, indices: Tensor) -> Tensor:
    images, data = subject.run.images(subject.split), subject.run.data
    device = next(subject.run.model.parameters()).device
    part = ImageSet(images.images[indices].contiguous(memory_format=torch.channels_last), images.labels[indices])
    loader = EvalLoader(part, mean=data.mean, std=data.std, batch_size=len(part), device=device)
    return next(iter(loader)).images


def _figure(subject: Subject, indices: Tensor, classes: Tensor, maps: Tensor) -> Any:
    images = subject.run.images(subject.split).images[indices]
    samples = [_tiles(subject, *each) for each in zip(indices.tolist(), images, classes.tolist(), maps, strict=True)]
    right = int(subject.predictions.correct[indices].sum())  # they come first
    rows: list[str | list[Tile]] = []
    for heading, part in (
        (
            "Answered rightly: the evidence for the answer, then for the class of the second highest logit",
            samples[:right],
        ),
        ("Answered wrongly: the evidence for the answer, then for the true class", samples[right:]),
    ):
        starts = range(0, len(part), PER_ROW)
        rows += [heading] if part else []
        rows += [[tile for sample in part[start : start + PER_ROW] for tile in sample] for start in starts]
    title = f"Grad-CAM at the last stage ({maps.shape[2]}x{maps.shape[3]}), each map on its own scale\n{subject.title}"
    return tile_figure(rows, title, columns=3 * min(PER_ROW, max(right, len(samples) - right)))


def _tiles(subject: Subject, index: int, image: Tensor, classes: list[int], maps: Tensor) -> list[Tile]:
    """The image under its true class, then the evidence for the predicted and for the other class."""
    names = subject.run.data.class_names
    shares = subject.predictions.logits[index].double().softmax(dim=0)
    shown = pixels(image)
    tiles = [Tile(shown, f"{shortened(names[subject.predictions.labels[index]])}\n(image {index})")]
    for each, heat in zip(classes, maps, strict=True):
        caption = f"for {shortened(names[each])}\n{percent(shares[each].item())}"
        caption += "" if heat.amax() > 0 else ", no evidence"
        tiles.append(Tile(shown, caption, heat_over(heat, *shown.shape[:2])))
    return tiles
