"""The card of a pushed study: README.md of its dataset repository, with the study's main table."""

from __future__ import annotations

from collections.abc import Sequence

from cifar100.hub.card import headed
from cifar100.hub.card_metadata import data_name, dataset_metadata
from cifar100.hub.citation import bibtex, cited
from cifar100.report.document.words import load_words
from cifar100.report.records.study import Study
from cifar100.report.renderers.markdown_text import at_start, code, escaped, markdown_table
from cifar100.report.tables.main_table import main_table

MOST_LEFT_OUT = 50


def study_card(study: Study, license: str | None, *, weights: bool) -> str:
    """The whole README.md. `weights` says whether each run's folder has its model.safetensors."""
    words = load_words("en")
    table = main_table(study, words)
    names = escaped(", ".join(dict.fromkeys(map(data_name, study.runs))))
    held = "the weights that were evaluated (`model.safetensors`)" if weights else "no weights"
    parts = [
        f"# {escaped(study.name)}",
        f"Records of {len(study.runs)} training runs on {names}: {len(study.rows)} networks, each with one or more "
        "seeds. This card was generated from them.",
        "## Results",
        f"{at_start(escaped(table.title))}.",
        markdown_table(table),
        "\n".join(f"- {at_start(escaped(note))}" for note in table.notes),
        *_left_out(study),
        "## Files",
        "One folder a run: `config.yaml` (all settings, resolved), `metrics.jsonl` (a line an epoch), `summary.json`, "
        "`environment.json` (versions, hardware), `status.json`, `evaluation/` (results, accuracy by class, confusion "
        f"matrix), and {held}. Downloaded into a folder, `python report.py study=<folder>` makes the study's report.",
        "## Citation",
        "The data set, and the papers that the networks' parts are from:",
        f"```bibtex\n{bibtex(cited(study.runs))}\n```",
    ]
    return headed(dataset_metadata(study.name, license), parts)


def _left_out(study: Study) -> Sequence[str]:
    if not study.left_out:
        return ()
    shown = study.left_out[:MOST_LEFT_OUT]
    more = len(study.left_out) - len(shown)
    lines = [f"- {code(each.name)}: {escaped(each.reason)}" for each in shown]
    return (
        "Found in the study, but not usable and not pushed:",
        "\n".join([*lines, *([f"- {more} more"] * (more > 0))]),
    )
