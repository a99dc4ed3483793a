"""BibTeX entries of what a card cites: the data set, and the papers that a network's parts are from."""

from __future__ import annotations

from collections.abc import Iterable

from cifar100.report.run import Run
from cifar100.report.works import Work, load_works, methods_of

DATA = {"cifar100": "krizhevsky2009cifar", "cifar10": "krizhevsky2009cifar", "digits": "alpaydin1998digits"}


def cited(runs: Iterable[Run]) -> list[Work]:
    """The works behind the data and the networks of these runs, each once."""
    runs = list(runs)
    keys = [DATA[name] for run in runs if (name := run.config["data"].get("name")) in DATA]
    keys += [key for method in methods_of([run.network for run in runs], "en") for key in method.references]
    works = load_works()
    return [works[key] for key in dict.fromkeys(keys)]


def bibtex(works: Iterable[Work]) -> str:
    return "\n\n".join(map(_entry, works))


def _entry(work: Work) -> str:
    arxiv = work.source.removeprefix("arXiv:") if work.url else None
    fields = {
        "author": " and ".join(work.authors.split(", ")),
        "title": f"{{{work.title}}}",
        "year": str(work.year),
        **({"eprint": arxiv, "archivePrefix": "arXiv", "url": work.url} if arxiv else {"note": work.source}),
    }
    lines = [f"  {key} = {{{value}}}," for key, value in fields.items()]
    return "\n".join([f"@misc{{{work.key},", *lines, "}"])
