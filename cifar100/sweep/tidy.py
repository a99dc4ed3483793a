"""Nothing is left of a run that was not trained."""

from pathlib import Path


def remove_empty(folder: Path, root: Path) -> None:
    """Removes ``folder`` if it is empty, and then empty ones above it up to ``root``."""
    while folder.is_dir() and folder.resolve().is_relative_to(root.resolve()) and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
