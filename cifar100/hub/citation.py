"""BibTeX entries of what a card cites: the data set, and the papers that a network's parts are from."""

import re
from collections.abc import Iterable, Mapping

from cifar100.report.document.works import Work, load_works, methods_of
from cifar100.report.records.run import Run

DATA = {"cifar100": "krizhevsky2009cifar", "cifar10": "krizhevsky2009cifar", "digits": "alpaydin1998digits"}


def cited(runs: Iterable[Run]) -> list[Work]:
    """The works behind the data and the networks of these runs, each once."""
    runs = list(runs)
    keys = [DATA[name] for run in runs if (name := run.config["data"].get("name")) in DATA]
    keys += [key for method in methods_of([run.network for run in runs], "en") for key in method.references]
    works = load_works()
    return [works[key] for key in dict.fromkeys(keys)]


def own_entry(run: Run, repo_id: str) -> str:
    """An entry for the repository itself, under its owner's name; the year is that in which training began."""
    owner, name = repo_id.split("/")
    year = str(run.status.get("created"))[:4]
    fields = {
        "author": _tex(owner),
        "title": f"{{{_tex(name)}}}",
        **({"year": year} if year.isdecimal() and year.isascii() else {}),
        "howpublished": "Hugging Face Hub",
        "url": f"https://huggingface.co/{repo_id}",
    }
    return _entry(re.sub(r"[^A-Za-z0-9]+", "-", repo_id), fields)


def bibtex(works: Iterable[Work]) -> str:
    return "\n\n".join(_entry(work.key, _fields(work)) for work in works)


def _fields(work: Work) -> dict[str, str]:
    arxiv = work.source.removeprefix("arXiv:") if work.url else None
    return {
        "author": " and ".join(work.authors.split(", ")),
        "title": f"{{{work.title}}}",
        "year": str(work.year),
        **({"eprint": arxiv, "archivePrefix": "arXiv", "url": work.url} if arxiv else {"note": work.source}),
    }


def _entry(key: str, fields: Mapping[str, str]) -> str:
    return "\n".join([f"@misc{{{key},", *(f"  {name} = {{{value}}}," for name, value in fields.items()), "}"])


def _tex(text: str) -> str:
    return text.replace("_", r"\_")
