"""Which repository, and which state of it: hf://user/repo@revision."""

import re
from dataclasses import dataclass
from typing import Any

from cifar100.base.errors import HubError

PREFIX = "hf://"
MAIN = "main"
COMMIT = re.compile(r"[0-9a-f]{40}")
_NAME = r"\w(?:[\w.-]{0,94}\w)?"
_REPO_ID = re.compile(f"{_NAME}/{_NAME}", re.ASCII)
_REVISION = re.compile(r"\w[\w./-]{0,199}", re.ASCII)


@dataclass(frozen=True)
class Address:
    """A model repository `repo_id` ("user/repo") at a `revision`: a branch, a tag or a commit.

    Raises:
        HubError: a name that no repository or revision can have.
    """

    repo_id: str
    revision: str = MAIN

    def __post_init__(self) -> None:
        check_repo_id(self.repo_id)
        check_revision(self.revision)

    def __str__(self) -> str:
        return f"{PREFIX}{self.repo_id}" if self.revision == MAIN else f"{PREFIX}{self.repo_id}@{self.revision}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return COMMIT.fullmatch(self.revision) is not None


def is_address(text: Any) -> bool:
    return isinstance(text, str) and text.startswith(PREFIX)


def parse_address(text: str, revision: str | None = None) -> Address:
    """`hf://user/repo`, `hf://user/repo@revision` or the same without `hf://`. Raises HubError."""
    repo_id, _, given = text.removeprefix(PREFIX).partition("@")
    if given and revision and given != revision:
        raise HubError(f"{text} names the revision {given}, but revision={revision} another; give one of them")
    return Address(repo_id, given or revision or MAIN)


def check_repo_id(repo_id: Any) -> str:
    """The id of a repository, checked: `user/name`, as a Hub admits it. Raises HubError."""
    fits = isinstance(repo_id, str) and _REPO_ID.fullmatch(repo_id)
    if not fits or "--" in repo_id or ".." in repo_id or repo_id.endswith(".git"):
        fault = f"repo_id={str(repo_id)[:200]} can be no repository"
        raise HubError(f"{fault}; write user/name, of letters, digits and single - _ . between them")
    return repo_id


def check_revision(revision: Any) -> str:
    """The name of a branch or tag, or a commit, checked. Raises HubError."""
    fits = isinstance(revision, str) and _REVISION.fullmatch(revision)
    if not fits or ".." in revision or "//" in revision:
        fault = f"revision={str(revision)[:200]} can be no branch, tag or commit"
        raise HubError(f"{fault}; write its name, or all 40 digits of a commit")
    return revision
