"""The functions behind the page to try networks on: networks by name, test images, and what a network answers."""

import logging
from collections.abc import Sequence
from contextvars import copy_context
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from cifar100.app.prediction import is_of_the_hub, load_classifier
from cifar100.base.errors import UserError
from cifar100.data.images import ImageData
from cifar100.deploy.classifier import Classifier, Guess
from cifar100.deploy.pictures import pixels
from cifar100.evaluation.explanations import tiles
from cifar100.evaluation.explanations.gradcam import gradcam_maps
from cifar100.evaluation.open_run import design_of, images_of
from cifar100.hub.load import local_folder
from cifar100.record import RunDirectory, find_runs

log = logging.getLogger(__name__)
TOP, SAMPLES, SIDE = 5, 12, 256  # classes, test images, and pixels of a side at which an image is shown
LOADED = 8  # networks in memory
Sample = tuple[np.ndarray, str]  # an image uint8 (h, w) or (h, w, 3) and its class


class Networks:
    """Trained networks by name, each loaded when it is first asked for.

    Args:
        run_dir: what `load_classifier` takes, a folder or glob of runs, or a list of these. Runs without weights are
            left out.
        revision: branch, tag or commit of a repository.

    Raises:
        UserError: in one line, where there is none.
    """

    def __init__(self, run_dir: str | Sequence[str], revision: str | None = None) -> None:
        self.folders: dict[str, Path] = {}
        for each in [run_dir] if isinstance(run_dir, str) else run_dir:
            if is_of_the_hub(each, revision):
                self.folders[each] = local_folder(each, revision)
                continue
            for run in find_runs(each):
                if any(map(run.has_checkpoint, ("best", "last"))):
                    design = design_of(run)
                    name = design if design == run.name else f"{design} ({run.name[-8:]})"
                    self.folders[str(run.path) if name in self.folders else name] = run.path
        if not self.folders:
            raise UserError(f"run_dir={run_dir} holds no weights; train first")
        # A page answers in threads that do not know what the command knows: whose code it trusts.
        context = copy_context()
        self.load = lru_cache(LOADED)(lambda name: context.copy().run(load_classifier, self.folders[name]))

    def images(self, data_path: str | None = None, cache_dir: str | None = None) -> ImageData | None:
        """The images of the first network's data set; None, and a line in the log, where they are not to be had."""
        try:
            return images_of(RunDirectory(next(iter(self.folders.values()))), data_path, cache_dir)
        except (UserError, OSError) as error:
            log.warning("no test images, own pictures only: %s", error)
            return None


class Answer(NamedTuple):
    """The likeliest classes, the image as the network is given it, and Grad-CAM for one class; images are (h, w, 3)
    uint8. ``explained`` is that class, and empty where nothing speaks for it."""

    guesses: list[Guess]
    seen: np.ndarray
    evidence: np.ndarray
    explained: str


def answer(classifier: Classifier, picture: Any, explained: str | None = None) -> Answer:
    """A network's answer to one picture.

    Args:
        classifier: see `load_classifier`.
        picture: a file, or an array uint8 (h, w) or (h, w, 3).
        explained: the class that Grad-CAM shall speak for; the likeliest where it is none of the network's.

    Raises:
        UserError: in one line, what cannot be read as a picture.
    """
    batch, _ = pixels([picture], classifier.resolution, classifier.in_channels)
    (guesses,) = classifier.predict(batch, top=TOP)
    name = explained if explained in classifier.class_names else guesses[0].name
    classes = torch.tensor([classifier.class_names.index(name)])
    (heat,) = gradcam_maps(classifier.network, classifier.normalised(batch), classes)
    times = max(1, SIDE // classifier.resolution)
    image = tiles.pixels(batch[0]).repeat(times, axis=0).repeat(times, axis=1)
    shown = (image, tiles.overlaid(image, tiles.heat_over(heat, *image.shape[:2])))
    seen, evidence = (np.uint8(each.clip(0, 1) * 255 + 0.5) for each in shown)
    return Answer(guesses, seen, evidence, name if heat.amax() > 0 else "")


def draw_samples(data: ImageData, count: int = SAMPLES, seed: int | None = None) -> list[Sample]:
    """Test images at random with their classes."""
    generator = torch.Generator()
    generator.manual_seed(generator.seed() if seed is None else seed)
    indices = torch.randperm(len(data.test), generator=generator)[:count]
    images = data.test.images[indices].permute(0, 2, 3, 1).numpy()
    names = [data.class_names[label] for label in data.test.labels[indices].tolist()]
    return [(image if image.shape[2] == 3 else image[..., 0], name) for image, name in zip(images, names, strict=True)]


def read_samples(folder: str | Path) -> list[Sample]:
    """The pictures of a folder; ``03-maple_tree.png`` is a ``maple_tree``."""
    from PIL import Image

    return [(np.asarray(Image.open(file)), file.stem.partition("-")[2]) for file in sorted(Path(folder).glob("*.png"))]
