"""The user's cache of pulled runs: one folder a commit, whole or absent, and which commit a branch was last seen at.

<cache>/cifar100/hub/<host>/<user>--<name>/commits/<commit>/<name>     the run directory
<cache>/cifar100/hub/<host>/<user>--<name>/revisions/<branch or tag>   the commit
"""

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote, urlsplit

from cifar100.base.files import cache_folder, read_file
from cifar100.hub.address import COMMIT, Address
from cifar100.record import atomic_write

STALE_S = 3600


def default_folder() -> Path:
    """The place of pulled runs in this program's cache."""
    return cache_folder() / "hub"


class Store:
    """The part of the cache that belongs to the repository of an address."""

    def __init__(self, address: Address) -> None:
        from huggingface_hub import constants

        host = quote(urlsplit(constants.ENDPOINT).netloc, safe=".")
        owner, self._name = address.repo_id.split("/")
        self._folder = default_folder() / host / f"{owner}--{self._name}"

    def run(self, commit: str) -> Path:
        """Where the run of a commit is, or belongs."""
        return self._commit(commit) / self._name

    def has(self, commit: str) -> bool:
        return self._commit(commit).is_dir()

    def commit_of(self, revision: str) -> str | None:
        """The commit that a revision was last seen at; a commit is its own. None for one that was never seen."""
        if COMMIT.fullmatch(revision):
            return revision
        data = read_file(self._revision(revision), 100)
        commit = (data or b"").decode("ascii", "replace").strip()
        return commit if COMMIT.fullmatch(commit) else None

    def note(self, revision: str, commit: str) -> None:
        if revision != commit and self.commit_of(revision) != commit:
            atomic_write(self._revision(revision), f"{commit}\n".encode())

    @contextmanager
    def adding(self, commit: str) -> Iterator[Path]:
        """An empty folder to write the run of a commit into, which is the commit's once the block ends without error.

        Of several processes that add one commit at once, the first to end is kept; the others' are the same.
        """
        final = self._commit(commit)
        final.parent.mkdir(parents=True, exist_ok=True)
        self._remove_stale(final.parent)
        temporary = final.with_name(f".{commit}.{secrets.token_hex(8)}.tmp")
        (temporary / self._name).mkdir(parents=True)
        try:
            yield temporary / self._name
            try:
                os.rename(temporary, final)
            except OSError:
                if not final.is_dir():
                    raise
        finally:
            shutil.rmtree(temporary, ignore_errors=True)

    def _commit(self, commit: str) -> Path:
        return self._folder / "commits" / commit

    def _revision(self, revision: str) -> Path:
        return self._folder / "revisions" / quote(revision, safe="")

    @staticmethod
    def _remove_stale(folder: Path) -> None:
        """Deletes what processes that were killed left behind."""
        for stale in folder.glob(".*.tmp"):
            with suppress(OSError):
                if time.time() - stale.stat().st_mtime > STALE_S:
                    shutil.rmtree(stale)
