"""Steps that all readers share: look in the cache, else read, verify, order and store; then hold out."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cifar100.base.errors import MissingFile, UserError
from cifar100.base.files import cache_folder
from cifar100.data.cache import Cache, source_key
from cifar100.data.canonical import assemble
from cifar100.data.images import ImageData
from cifar100.data.raw import RawData
from cifar100.data.specs import Spec
from cifar100.data.split import hold_out, keep_images
from cifar100.data.verify import verify

logger = logging.getLogger(__name__)

_USUAL = "usual"


def read_known(
    spec: Spec,
    read: Callable[[Path | None, Spec], RawData],
    *,
    path: str | None,
    cache_dir: str | None,
    val_size: int,
    images_per_class: int | None = None,
    constants: dict[str, Any],
) -> ImageData:
    """Read a data set of which the facts are published.

    read(source, spec) reads a path, or the usual source if that is None. constants are facts of the data set that stand
    in the configuration, too.

    Raises:
        FileNotFoundError, ValueError: in one line; see the readers.
    """
    for argument, value in constants.items():
        if value != getattr(spec, argument):
            known = getattr(spec, argument)
            raise UserError(f"data.{argument}={value} but {spec.name} has {known}; leave data.{argument} alone")

    data = read_cached(
        spec.name,
        lambda source: _verified(read(source, spec), spec, source),
        path=path,
        cache_dir=cache_dir,
        known=spec.fingerprint,
    )
    return keep_images(hold_out(data, val_size), images_per_class)


def _verified(raw: RawData, spec: Spec, source: Path | None) -> ImageData:
    """The data set of what was read, whose counts and statistics must be the published ones; warns where an image or a
    label is another. Raises UserError."""
    verify(raw, spec)
    data = assemble(
        raw,
        name=spec.name,
        class_names=spec.class_names or raw.class_names or tuple(str(label) for label in range(spec.num_classes)),
        superclass_names=spec.superclass_names,
        superclass_of=spec.superclass_of,
        mean=spec.mean,
        std=spec.std,
    )
    if raw.unproven and data.fingerprint != spec.fingerprint:
        raise UserError(
            f"data.path={source} may hold {spec.name}, but not every pixel and label is the published one, and its "
            "layout does not say which labels these are; data=imagefolder reads folders of any classes"
        )
    if spec.fingerprint and data.fingerprint != spec.fingerprint:
        logger.warning("%s: counts and statistics agree, but not every pixel and label is the published one", spec.name)
    return data


def _expanded(option: str, path: str) -> Path:
    try:
        return Path(str(path)).expanduser()
    except RuntimeError:
        raise MissingFile(f"{option}={path}: there is no user of that name, or none with a home") from None


def read_cached(
    name: str,
    read: Callable[[Path | None], ImageData],
    *,
    path: str | None,
    cache_dir: str | None,
    known: str = "",
    variant: str = "",
) -> ImageData:
    """The content of `path`, from the cache if its files have not changed since; path=None is the usual source.

    Content whose fingerprint is `known` serves as the usual source from then on, whatever path it came from. variant
    tells apart what different options make of the same files.
    """
    cache = Cache(_expanded("data.cache_dir", cache_dir) if cache_dir else cache_folder())
    source = None if path is None else _expanded("data.path", path)
    if source is not None and not source.exists():
        raise MissingFile(f"data.path={path} does not exist; give the folder or file that holds {name}")
    key = _USUAL if source is None else source_key(source, variant)
    data = cache.read(name, key)
    if data is None:
        logger.info("reading %s from %s", name, source or "the local Hugging Face cache or the Hub")
        data = read(source)
        data = cache.write(data, *{key, _USUAL} if data.fingerprint == known else (key,))
    return data
