"""A trained classifier as the backbone of a detector: python examples/detect_digits.py [multirun/<study>/<run>]

torchvision's FCOS (arXiv 1904.01355) finds the digits in scenes of 64x64 pixels, composed of one to three of
scikit-learn's digits in any colour and of any size from 14 to 28 pixels, on coloured noise: digits of the training part
in training, of the test part in the test. The backbone's weights are the run's; `--scratch` draws them anew.
"""

import argparse
from collections import OrderedDict
from functools import cache

import torch
from sklearn.metrics import average_precision_score
from torch import Tensor, nn
from torchvision.models.detection import FCOS
from torchvision.models.detection.anchor_utils import AnchorGenerator
from torchvision.models.detection.fcos import FCOSHead
from torchvision.ops import FeaturePyramidNetwork, box_iou

import cifar100
from cifar100.data.digits import read_digits

RUN = "multirun/main/basic-d3-3-3-w16-32-64-e15-seed0-9f00cf8c"
SIZE, CHANNELS, BATCH = 64, 32, 8
Scenes = tuple[list[Tensor], list[dict[str, Tensor]]]


class Pyramid(nn.Module):
    """The maps of a network's last two stages, brought to as many channels by a feature pyramid (arXiv 1612.03144)."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network, self.out_channels = network, CHANNELS
        self.network.head = nn.Identity()
        with torch.no_grad():
            maps = network.feature_maps(torch.zeros(2, 3, SIZE, SIZE))[-2:]
        self.strides = [SIZE // each.shape[-1] for each in maps]
        self.pyramid = FeaturePyramidNetwork([each.shape[1] for each in maps], CHANNELS)

    def forward(self, images: Tensor) -> OrderedDict[str, Tensor]:
        maps = self.network.feature_maps(images)[-2:]
        return self.pyramid(OrderedDict((str(index), each) for index, each in enumerate(maps)))


def detector(run: str, scratch: bool = False) -> FCOS:
    """FCOS on the network of a run, with heads of two convolutions; on one of random weights where `scratch`."""
    classifier = cifar100.load(run)
    if scratch:
        for each in classifier.network.modules():
            if hasattr(each, "reset_parameters"):
                each.reset_parameters()
    backbone = Pyramid(classifier.network)
    anchors = AnchorGenerator(tuple((stride,) for stride in backbone.strides), ((1.0,),) * len(backbone.strides))
    head = FCOSHead(CHANNELS, 1, num_classes=10, num_convs=2)
    options = {"min_size": SIZE, "max_size": SIZE, "image_mean": classifier.mean, "image_std": classifier.std}
    return FCOS(backbone, 10, anchor_generator=anchors, head=head, score_thresh=0.1, **options)


def compose_scenes(split: str, count: int, generator: torch.Generator) -> Scenes:
    """Images float32 (3, 64, 64) of 0..1; of each the digits: boxes (n, 4), left, top, right, bottom, and labels."""
    digits = getattr(_digits(), split)

    def draw(low: int, high: int) -> int:
        return int(torch.randint(low, high, (), generator=generator))

    images, targets = [], []
    for _ in range(count):
        noise = torch.rand(3, SIZE, SIZE, generator=generator)
        scene = 0.2 + 0.4 * torch.rand(3, 1, 1, generator=generator) + 0.2 * noise
        boxes, labels = torch.empty(0, 4), []
        for _ in range(draw(1, 4)):
            index, size = draw(0, len(digits)), draw(14, 29)
            left, top = draw(0, SIZE - size + 1), draw(0, SIZE - size + 1)
            box = torch.tensor([[left, top, left + size, top + size]], dtype=torch.float32)
            if len(boxes) and box_iou(box, boxes).max() > 0:
                continue
            digit, colour = digits.images[index : index + 1] / 255, torch.rand(3, 1, 1, generator=generator).round()
            ink = nn.functional.interpolate(digit, size=(size, size), mode="bilinear")[0]
            place = scene[:, top : top + size, left : left + size]
            place.lerp_(colour.expand_as(place), ink.expand_as(place))
            boxes, labels = torch.cat([boxes, box]), [*labels, int(digits.labels[index])]
        images.append(scene.clamp(0, 1))
        targets.append({"boxes": boxes, "labels": torch.tensor(labels)})
    return images, targets


@cache
def _digits():
    return read_digits(val_size=0)


def train(model: FCOS, steps: int, generator: torch.Generator) -> list[float]:
    """Trains on scenes that no two steps share, the backbone at a tenth of the rate; returns the loss of each step."""
    backbone = list(model.backbone.network.parameters())
    others = [*model.backbone.pyramid.parameters(), *model.head.parameters()]
    optimizer = torch.optim.AdamW([{"params": others}, {"params": backbone, "lr": 3e-4}], lr=3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, [3e-3, 3e-4], total_steps=steps + 1)
    losses = []
    for step in range(steps):
        loss = sum(model.train()(*compose_scenes("train", BATCH, generator)).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        if (step + 1) % 50 == 0:
            print(f"step {step + 1}/{steps}  loss {sum(losses[-50:]) / 50:.3f}", flush=True)
    return losses


@torch.no_grad()
def evaluate(model: FCOS, scenes: Scenes) -> tuple[float, float]:
    """Average precision over all boxes, and the share of the digits that are found, each by one box of its class with
    an intersection over union of at least 0.5."""
    right, scores, digits = [], [], 0
    for image, target in zip(*scenes, strict=True):
        (seen,) = model.eval()([image])  # the surest box first
        fits = (box_iou(seen["boxes"], target["boxes"]) >= 0.5) & (seen["labels"][:, None] == target["labels"])
        for index in range(len(fits)):
            found = fits[index].clone()
            right.append(bool(found.any()))
            fits[:, found] = False  # not found again
        scores, digits = scores + seen["scores"].tolist(), digits + len(target["boxes"])
    recall = sum(right) / digits
    return recall * average_precision_score(right, scores) if recall else 0.0, recall


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", nargs="?", default=RUN, help="a run directory, or hf://user/repo")
    parser.add_argument("--scratch", action="store_true", help="a backbone of random weights")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    model = detector(arguments.run, arguments.scratch)
    train(model, arguments.steps, torch.Generator().manual_seed(arguments.seed))
    precision, recall = evaluate(model, compose_scenes("test", 200, torch.Generator().manual_seed(1)))
    print(f"200 test scenes: average precision {precision:.1%}, {recall:.1%} of the digits found")


if __name__ == "__main__":
    main()
