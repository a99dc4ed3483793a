"""What the readers and writers of a run directory raise: one line that names the file, the fault and the cure."""

from __future__ import annotations

from pathlib import Path

MAX_LINE = 1000


def one_line(text: object) -> str:
    """`text` with white space folded, other unprintable characters escaped and, beyond MAX_LINE characters, cut.

    File names and the content of foreign files reach error messages, and a terminal obeys control characters.
    """
    folded = " ".join(str(text)[: 2 * MAX_LINE].split())
    line = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in folded)
    return line if len(line) <= MAX_LINE else f"{line[: MAX_LINE - 4]} ..."


class RecordError(ValueError):
    """A file of a run directory is missing, damaged or not what its name says."""

    def __init__(self, path: Path | str, fault: str) -> None:
        super().__init__(one_line(f"{path}: {fault}"))


class RunLocked(RecordError):
    """Another process works on the run directory."""
