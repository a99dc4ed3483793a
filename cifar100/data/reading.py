"""What the readers share: look in the cache, else read, verify, order and store; then hold out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .cache import Cache, default_cache_dir, source_key
from .canonical import assemble
from .images import ImageData
from .raw import RawData
from .specs import Spec
from .split import hold_out
from .verify import verify

_USUAL = "usual"


def read_known(
    spec: Spec,
    read: Callable[[Path | None, Spec], RawData],
    *,
    path: str | None,
    cache_dir: str | None,
    val_size: int,
    num_classes: int,
    in_channels: int,
    resolution: int,
) -> ImageData:
    """Read a data set of which the facts are published."""
    check_constants(spec, num_classes=num_classes, in_channels=in_channels, resolution=resolution)

    def read_verified(source: Path | None) -> ImageData:
        raw = read(source, spec)
        verify(raw, spec)
        return assemble(
            raw,
            name=spec.name,
            class_names=spec.class_names or raw.class_names,
            superclass_names=spec.superclass_names,
            superclass_of=spec.superclass_of,
            mean=spec.mean,
            std=spec.std,
        )

    data = read_cached(spec.name, read_verified, path=path, cache_dir=cache_dir, known=spec.fingerprint)
    return hold_out(data, val_size)


def read_cached(
    name: str,
    read: Callable[[Path | None], ImageData],
    *,
    path: str | None,
    cache_dir: str | None,
    known: str = "",
    usual: str = _USUAL,
) -> ImageData:
    """The content of `path`, from the cache if the files have not changed since; path=None is the usual source.

    Content whose fingerprint is `known` serves as the usual source from then on, whatever path it came from.
    """
    cache = Cache(Path(cache_dir).expanduser() if cache_dir else default_cache_dir())
    source = None if path is None else existing(path)
    key = usual if source is None else source_key(source)
    data = cache.read(name, key)
    if data is None:
        data = read(source)
        data = cache.write(data, *{key, usual} if data.fingerprint == known else (key,))
    return data


def existing(path: str) -> Path:
    """The path, with ~ expanded. FileNotFoundError if there is nothing."""
    found = Path(path).expanduser()
    if not found.exists():
        raise FileNotFoundError(f"data.path={path} does not exist; give an existing folder or file, or leave it out")
    return found


def check_constants(spec: Spec, **given: int) -> None:
    """ValueError if an option contradicts the data set."""
    for argument, value in given.items():
        if value != getattr(spec, argument):
            raise ValueError(
                f"data.{argument}={value} but {spec.name} has {getattr(spec, argument)}; leave data.{argument} alone"
            )
