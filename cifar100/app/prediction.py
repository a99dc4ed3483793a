"""Own pictures: a trained network by whatever name, and what it takes them for."""

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from cifar100.base.errors import UserError
from cifar100.base.text import one_line
from cifar100.deploy.classifier import Classifier, Guess
from cifar100.deploy.pictures import pixels
from cifar100.hub.address import is_address
from cifar100.hub.download import CONFIG
from cifar100.hub.load import describe, load, local_folder
from cifar100.record import find_runs

FORMATS = ("table", "csv")


def load_classifier(source: str | Path, *, revision: str | None = None) -> Classifier:
    """A trained network with the names of its classes and its normalisation, in evaluation mode, on the CPU.

    Args:
        source: a run directory, a folder or glob that holds exactly one run, a folder with the files of a Hub
            repository, or ``hf://user/repo``.
        revision: branch, tag or commit of a repository.

    Raises:
        UserError: in one line, where there is no such thing or it is not safe to load.
    """
    folder = local_run(source, revision)
    about = describe(folder)
    return Classifier(load(folder), about.class_names, about.mean, about.std, about.data).eval()


def local_run(source: str | Path, revision: str | None = None) -> Path:
    """The folder of what `load_classifier` takes, fetched where it is on the Hub. Raises what that does."""
    return local_folder(source, revision) if is_of_the_hub(source, revision) else _only_run(source)


def is_of_the_hub(source: str | Path, revision: str | None) -> bool:
    return revision is not None or is_address(source) or (Path(source) / CONFIG).is_file()


def _only_run(source: str | Path) -> Path:
    found = find_runs(source)
    if len(found) > 1:
        raise UserError(f"run_dir={source} names {len(found)} runs; name one, such as {found[0].path}")
    return found[0].path


def predict_pictures(classifier: Classifier, images: object, top: int = 5) -> dict[str, list[Guess]]:
    """The most probable classes of each picture, by its name; see `cifar100.deploy.pictures.pixels`."""
    batch, names = pixels(images, classifier.resolution, classifier.in_channels)
    return dict(zip(names, classifier.predict(batch, top=top), strict=True))


def predict_command(*, run_dir: str, images: str | Sequence[str], top: int, format: str, revision: str | None) -> None:
    """Prints what a network takes pictures for, as conf/predict.yaml explains.

    Raises:
        UserError: in one line, for a network or a picture that is not there or cannot be read.
    """
    if format not in FORMATS:
        raise UserError(f"format={format} must be one of {', '.join(FORMATS)}")
    guesses = predict_pictures(load_classifier(run_dir, revision=revision), images, top)
    if format == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["image", "rank", "class", "probability"])
        rows = ((name, rank, *guess) for name, each in guesses.items() for rank, guess in enumerate(each, 1))
        writer.writerows(rows)
        return
    width = max(len(one_line(name)) for name in guesses)
    for name, each in guesses.items():
        print(f"{one_line(name):<{width}}  " + "  ".join(f"{one_line(n)} {p:.1%}" for n, p in each))
