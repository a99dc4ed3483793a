"""The files under evaluation/ of a run directory: written atomically, never outside it."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cifar100.base.errors import RecordError, UserError
from cifar100.base.files import atomic_write, read_file, remove_temporaries
from cifar100.base.text import no_formula
from cifar100.record.checkpoint import load_tensors, save_tensors
from cifar100.record.plain import check_expanded, format_json, parse_json_object

if TYPE_CHECKING:
    from torch import Tensor

MAX_EVALUATION_BYTES = 2**28


def inside(folder: Path, relative: str) -> Path:
    """`folder / relative`. Raises RecordError where that would leave the folder: `..`, absolute names, links."""
    parts = relative.split("/")
    if any(part in ("", ".", "..") or "\0" in part or "\\" in part for part in parts):
        raise RecordError(folder, f"{relative!r} is no name of a file in it; use letters, digits and single slashes")
    path = folder
    for part in parts[:-1]:
        path = path / part
        if path.is_symlink():
            raise RecordError(path, "is a link; a run directory keeps its own files, put the folder itself here")
    return path / parts[-1]


class EvaluationFiles:
    """Readers and writers of `<run>/evaluation/<name>`; a name may have slashes ("figures/confusion.png").

    Writers raise RecordError for names that leave the folder and OSError for a full disk; readers raise RecordError for
    what is damaged and return None for what is not there.
    """

    path: Path

    def evaluation_path(self, name: str) -> Path:
        return inside(self.path, f"evaluation/{name}")

    def write_bytes(self, name: str, data: bytes) -> None:
        atomic_write(self.evaluation_path(name), data)

    def write_text(self, name: str, text: str) -> None:
        self.write_bytes(name, text.encode())

    def write_json(self, name: str, value: dict[str, Any]) -> None:
        path = self.evaluation_path(name)
        atomic_write(path, format_json(value, path))

    def write_csv(self, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
        """A table as RFC 4180 text. Text that a spreadsheet would run as a formula gets an apostrophe in front."""
        text = io.StringIO(newline="")
        writer = csv.writer(text)
        writer.writerow([no_formula(cell) for cell in header])
        for row in rows:
            if len(row) != len(header):
                raise UserError(f"{name}: a row has {len(row)} cells under {len(header)} headings")
            writer.writerow([no_formula(cell) for cell in row])
        self.write_text(name, text.getvalue())

    def write_tensors(self, name: str, tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
        """Tensors (predictions, say) as a safetensors file with a digest; see `checkpoint.save_tensors`."""
        save_tensors(self.evaluation_path(name), tensors, state)

    def remove(self, name: str) -> None:
        """Deletes the file, if there is one, and what writers that were killed left beside it."""
        path = self.evaluation_path(name)
        path.unlink(missing_ok=True)
        remove_temporaries(path.parent)

    def read_bytes(self, name: str) -> bytes | None:
        return read_file(self.evaluation_path(name), MAX_EVALUATION_BYTES)

    def read_json(self, name: str) -> dict[str, Any] | None:
        data = self.read_bytes(name)
        return None if data is None else parse_json_object(data, self.evaluation_path(name))

    def read_csv(self, name: str) -> list[dict[str, str]] | None:
        """The rows as text by heading."""
        data = self.read_bytes(name)
        if data is None:
            return None
        path = self.evaluation_path(name)
        check_expanded(data, path)
        try:
            header, *rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True)
            return [dict(zip(header, row, strict=True)) for row in rows]
        except (ValueError, csv.Error) as error:
            raise RecordError(path, f"is no table in CSV ({error}); run evaluate.py again") from None

    def read_tensors(self, name: str) -> tuple[dict[str, Tensor], dict[str, Any]]:
        return load_tensors(self.evaluation_path(name))
