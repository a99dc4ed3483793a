"""The uint8 cache: a data set decoded once, mapped by every later run.

    <cache_dir>/content/<name>-<first 16 digits of the fingerprint>.safetensors
    <cache_dir>/sources/<name>-<digest of the source>.json       which content a source turned out to hold

Content is addressed by its fingerprint, so a corrupt file is found by computing it again. Files are written under a
temporary name, synced and renamed: runs that fill the cache at once write the same bytes and the last rename wins.
"""

import hashlib
import json
import logging
from pathlib import Path

from torch import Tensor

from cifar100.base.errors import UserError
from cifar100.base.files import atomic_write, remove_temporaries, replacing
from cifar100.data.canonical import description, fingerprint, split_sets
from cifar100.data.formats.folders import files_below
from cifar100.data.images import ImageData, ImageSet

logger = logging.getLogger(__name__)

# Above this size only the file's structure is checked: hashing would take longer than a start should. CIFAR-100's
# 184 MB take 0.1 s.
_FULL_CHECK_BYTES = 512 * 2**20
_STALE_S = 3600


def source_key(path: Path, variant: str = "") -> str:
    """Identity of a file or folder: its resolved path, and the name, size and modification time of each file."""
    path = path.resolve()
    files = [path] if path.is_file() else sorted(files_below(path))
    digest = hashlib.sha256(f"{path}\n{variant}\n".encode())
    for file in files:
        stat = file.stat()
        digest.update(f"{file.relative_to(path)} {stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


class Cache:
    """Data sets by source; `folder` is created when something is stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str, key: str) -> ImageData | None:
        """The verified content of a source, or None: unknown, missing, of another format, corrupt or truncated."""
        try:
            expected = json.loads(self._pointer(name, key).read_text())["fingerprint"]
            return _read_file(self._file(name, expected), expected)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("data cache %s is not usable (%s): reading the source again", self._folder, error)
            return None

    def write(self, data: ImageData, *keys: str) -> ImageData:
        """Store the content and one pointer per key; returns the mapped content, or data itself if that fails."""
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        tensors: dict[str, Tensor] = {}
        for name, split in split_sets(data).items():
            tensors[f"{name}.images"] = split.images.permute(0, 2, 3, 1).contiguous()
            tensors[f"{name}.labels"] = split.labels.contiguous()
        file = self._file(data.name, data.fingerprint)
        metadata = {"description": description(data)}
        try:
            for folder in ("content", "sources"):
                remove_temporaries(self._folder / folder, _STALE_S)
            with replacing(file) as temporary:
                save_file(tensors, temporary, metadata)
            for key in keys:
                atomic_write(self._pointer(data.name, key), json.dumps({"fingerprint": data.fingerprint}).encode())
            return _read_file(file, data.fingerprint)
        except (OSError, ValueError, SafetensorError) as error:  # the last is how safetensors reports a full disk
            logger.warning("cannot write the data cache %s (%s): keeping the images in memory", self._folder, error)
            return data

    def _file(self, name: str, fingerprint_: str) -> Path:
        return self._folder / "content" / f"{name}-{fingerprint_[:16]}.safetensors"

    def _pointer(self, name: str, key: str) -> Path:
        return self._folder / "sources" / f"{name}-{key[:32]}.json"


def _read_file(path: Path, expected: str) -> ImageData:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt") as file:
            about = json.loads(file.metadata()["description"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}
    except SafetensorError as error:
        raise UserError(f"{path.name}: {error}") from None
    splits = {
        name: ImageSet(tensors[f"{name}.images"].permute(0, 3, 1, 2), tensors[f"{name}.labels"])
        for name in ("train", "val", "test")
        if f"{name}.images" in tensors
    }
    about = {name: tuple(value) if isinstance(value, list) else value for name, value in about.items()}
    data = ImageData(**about, train=splits["train"], val=splits.get("val"), test=splits["test"], fingerprint=expected)
    if path.stat().st_size <= _FULL_CHECK_BYTES and fingerprint(data) != expected:
        raise UserError(f"{path.name} does not match its fingerprint")
    return data
