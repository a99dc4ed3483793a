"""Which version of the sources a record comes from."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from cifar100.base.text import plain_line
from cifar100.report.records.run import Run


def commit(environment: dict[str, Any]) -> str:
    """The first ten digits of the commit, with a plus sign where its sources had changes; "" where there is none."""
    git = environment.get("git")
    if not isinstance(git, dict) or not isinstance(git.get("commit"), str):
        return ""
    return plain_line(git["commit"][:10], 10) + ("+" if git.get("dirty") else "")


def commits(runs: Iterable[Run]) -> set[str]:
    """The commits that are recorded of these runs, changed sources or not."""
    return {commit(run.environment).removesuffix("+") for run in runs} - {""}
