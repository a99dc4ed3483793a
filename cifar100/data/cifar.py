"""CIFAR-10 and CIFAR-100 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009)."""

from pathlib import Path

from cifar100.base.errors import UserError
from cifar100.data.formats.archive import is_archive
from cifar100.data.formats.folders import read_class_folders
from cifar100.data.formats.hub import read_hub
from cifar100.data.formats.original import CIFAR10_LAYOUT, CIFAR100_LAYOUT, read_original
from cifar100.data.formats.parquet import Columns, parquet_splits, read_parquet
from cifar100.data.images import ImageData
from cifar100.data.raw import RawData
from cifar100.data.reading import read_known
from cifar100.data.specs import CIFAR10, CIFAR100, Spec

_COLUMNS = {
    "cifar10": Columns(label=("label",)),
    "cifar100": Columns(label=("fine_label", "label"), superclass=("coarse_label",), unproven=("label",)),
}
_LAYOUTS = {"cifar10": CIFAR10_LAYOUT, "cifar100": CIFAR100_LAYOUT}
_REPOSITORIES = {"cifar10": "uoft-cs/cifar10", "cifar100": "uoft-cs/cifar100"}


def read_cifar100(
    path: str | None = None,
    cache_dir: str | None = None,
    val_size: int = 5000,
    *,
    images_per_class: int | None = None,
    name: str = "cifar100",
    num_classes: int = 100,
    in_channels: int = 3,
    resolution: int = 32,
) -> ImageData:
    """CIFAR-100: 50,000 training and 10,000 test images, 32x32 RGB, 100 classes in 20 superclasses.

    path: a folder of parquet files in the Hub's layouts, `cifar-100-python` or `cifar-100-binary` as a folder (or the
    folder around it) or as the original .tar.gz, or train/<class>/*.png and test/<class>/*.png; null looks in this
    project's cache, then in the local Hugging Face caches, then on the Hub (uoft-cs/cifar100). name, num_classes,
    in_channels and resolution are facts that the configuration states for the model; other values are refused.

    Raises:
        FileNotFoundError: no such path, or path=null and neither cache nor Hub has it.
        ValueError: a layout that is none of these, an unreadable file, content that is not CIFAR-100.
    """
    constants = {"name": name, "num_classes": num_classes, "in_channels": in_channels, "resolution": resolution}
    options = {"val_size": val_size, "images_per_class": images_per_class, "constants": constants}
    return read_known(CIFAR100, _read_source, path=path, cache_dir=cache_dir, **options)


def read_cifar10(
    path: str | None = None,
    cache_dir: str | None = None,
    val_size: int = 5000,
    *,
    images_per_class: int | None = None,
    name: str = "cifar10",
    num_classes: int = 10,
    in_channels: int = 3,
    resolution: int = 32,
) -> ImageData:
    """CIFAR-10: 50,000 training and 10,000 test images, 32x32 RGB, 10 classes. Arguments as read_cifar100, with
    `cifar-10-batches-py`, `cifar-10-batches-bin` and uoft-cs/cifar10."""
    constants = {"name": name, "num_classes": num_classes, "in_channels": in_channels, "resolution": resolution}
    options = {"val_size": val_size, "images_per_class": images_per_class, "constants": constants}
    return read_known(CIFAR10, _read_source, path=path, cache_dir=cache_dir, **options)


def _read_source(source: Path | None, spec: Spec) -> RawData:
    """The content of a source in any of the formats, recognised by its files."""
    columns, layout = _COLUMNS[spec.name], _LAYOUTS[spec.name]
    if source is None:
        return read_hub(_REPOSITORIES[spec.name], spec, columns)
    if source.is_dir() and (splits := parquet_splits(source)):
        return read_parquet(splits, spec, columns)
    if source.is_dir() or is_archive(source):
        if raw := read_original(source, layout, spec) or read_class_folders(source, spec):
            return raw
    raise UserError(
        f"data.path={source} holds no {spec.name}: expected train-*.parquet and test-*.parquet, "
        f"{layout.python_folder} or {layout.binary_folder} as a folder or .tar.gz, or train/<class>/*.png and test/..."
    )
