"""The cards of repositories: README.md of a run's and of a study's, from the templates beside this file.

Every word that a template is given is escaped as it is printed; only what is Markdown already comes as `Markdown`.
"""

from pathlib import Path
from typing import Any

from cifar100.base.text import plain_line
from cifar100.hub.citation import bibtex, cited, own_entry
from cifar100.record.fields import COSTS, FIELDS, METRICS, Field
from cifar100.report.claims.statistics import summarize
from cifar100.report.document.words import load_words
from cifar100.report.records.provenance import FEW_EPOCHS, FEW_SEEDS, is_dirty, recorded_command, typed_command
from cifar100.report.records.run import Run
from cifar100.report.records.study import Row, Study
from cifar100.report.renderers.markdown_document import at_start, code, escaped, markdown_table
from cifar100.report.tables.comparison import machines, main_table
from cifar100.report.tables.settings import hyperparameter_table, recipe_line
from cifar100.report.tables.table import Cell, Table

LIBRARY = "cifar100-lab"
# Data sets by the names that records give them: on the Hub, and for readers.
ON_THE_HUB = {
    "cifar100": ("uoft-cs/cifar100", "CIFAR-100"),
    "cifar10": ("uoft-cs/cifar10", "CIFAR-10"),
    "tiny_imagenet": ("zh-plus/tiny-imagenet", "Tiny ImageNet"),
}


class Markdown(str):
    """Text that is Markdown, and printed as it is."""


def model_card(run: Run, study: Study, repo_id: str, license: str | None) -> str:
    """The whole README.md of a run.

    Args:
        run: whose weights these are.
        study: of one row, this run and those that differ only in their seed.
        repo_id: checked.
        license: as the Hub abbreviates it; null names none.
    """
    words, row = load_words("en"), study.rows[0]
    timed, trainer = run.evaluation.get("latency"), run.config["trainer"]
    seconds = {"parameters": run.parameters, "macs": run.macs, "train_s": run.train_s, "latency_s": run.latency_s}
    return _card(
        "model_card",
        _model_metadata(run, repo_id, license),
        run=run,
        row=row,
        repo_id=repo_id,
        fields=FIELDS,
        data=_data_name(run),
        digits=run.config["data"].get("name") == "digits",
        results=Markdown(markdown_table(_results(run, row))),
        costs=[(field, seconds[field.name]) for field in COSTS if seconds.get(field.name) is not None],
        machines="; ".join(machines(study, words)),
        timed_on=timed.get("machine") if isinstance(timed, dict) and run.latency_s is not None else None,
        channels=_count(run.network.get("in_channels")),
        size=_count(run.network.get("resolution")),
        classes=_count(run.network.get("num_classes")),
        held_out=run.config["data"].get("val_size"),
        recipe=recipe_line(study),
        command=typed_command(run) or recorded_command(run),
        settings=Markdown(markdown_table(hyperparameter_table(study, words))),
        few_seeds=FEW_SEEDS,
        few_epochs=FEW_EPOCHS,
        epochs=trainer.get("num_train_epochs"),
        dirty=is_dirty(run),
        citation=Markdown(f"{own_entry(run, repo_id)}\n\n{bibtex(cited([run]))}"),
    )


def study_card(study: Study, license: str | None, *, weights: bool) -> str:
    """The whole README.md of a study, with its main table.

    Args:
        study: the runs that are pushed.
        license: as the Hub abbreviates it; null names none.
        weights: whether each run's folder has its model.safetensors.
    """
    table = main_table(study, load_words("en"))
    return _card(
        "study_card",
        _dataset_metadata(study.name, license),
        study=study,
        weights=weights,
        data=", ".join(dict.fromkeys(map(_data_name, study.runs))),
        title=Markdown(at_start(escaped(table.title))),
        table=Markdown(markdown_table(table)),
        notes=[Markdown(at_start(escaped(note))) for note in table.notes],
        most_left_out=50,
        citation=Markdown(bibtex(cited(study.runs))),
    )


def _card(template: str, metadata: Any, **values: Any) -> str:
    from huggingface_hub import RepoCard
    from jinja2 import Environment, StrictUndefined

    def printed(value: Any) -> str:
        return value if isinstance(value, Markdown) else escaped(plain_line(value, 1000))

    environment = Environment(finalize=printed, undefined=StrictUndefined, keep_trailing_newline=True)
    environment.filters["code"] = lambda value: Markdown(code(plain_line(value or "?", 80)))
    environment.filters["raw"] = Markdown
    source = Path(__file__).with_name(f"{template}.md.jinja").read_text(encoding="utf-8")
    body = environment.from_string(source).render(values)
    return str(RepoCard(f"---\n{metadata.to_yaml()}\n---\n\n{body}"))  # which reads the metadata, as the Hub will


def _results(run: Run, row: Row) -> Table:
    """The run's metrics, with means, deviations and intervals over the seeds where there are several."""
    columns = ["metric", "these weights"]
    if row.n > 1:
        columns += [f"mean ± standard deviation of {row.n} seeds", "95% interval of the mean"]
    lines = tuple(_result(run, row, field) for field in METRICS if field.read(run.evaluation) is not None)
    return Table("results", "", tuple(columns), lines, numeric=(False, *[True] * (len(columns) - 1)))


def _result(run: Run, row: Row, field: Field) -> tuple[Cell, ...]:
    cells = [Cell(field.heading()), Cell(field.text(field.read(run.evaluation)))]
    if row.n > 1:
        over = summarize(row.values(field.key()))
        cells += [Cell(field.text(over.mean, over.std)), Cell(f"[{field.text(over.low)}, {field.text(over.high)}]")]
    return tuple(cells)


def _data_name(run: Run) -> str:
    """The common name of the data set; digits by that name, so that nobody takes them for CIFAR-100."""
    name = plain_line(run.config["data"].get("name") or "unknown", 60)
    return ON_THE_HUB.get(name, ("", name))[1]


def _count(value: object) -> int | str:
    return value if isinstance(value, int) else "?"


def _model_metadata(run: Run, repo_id: str, license: str | None) -> Any:
    """The YAML at the card's head, by which the Hub finds and compares repositories, with the run's own results in
    fractions as its record has them: means over seeds are for the text, an entry speaks of the weights beside it."""
    from huggingface_hub import EvalResult, ModelCardData

    recorded = plain_line(run.config["data"].get("name") or "unknown", 60)
    on_hub, name = ON_THE_HUB.get(recorded, (recorded, recorded))
    results = [
        EvalResult(
            task_type="image-classification",
            dataset_type=on_hub,
            dataset_name=name,
            dataset_split="test",
            metric_type=field.hub,
            metric_name=field.en.capitalize(),
            metric_value=field.read(run.evaluation),
        )
        for field in METRICS
        if field.hub and field.read(run.evaluation) is not None
    ]
    return ModelCardData(
        library_name=LIBRARY,
        license=license,
        pipeline_tag="image-classification",
        tags=["image-classification", LIBRARY, recorded],
        datasets=[on_hub] if recorded in ON_THE_HUB else None,
        metrics=["accuracy"],
        model_name=repo_id.split("/")[1],
        eval_results=results,
    )


def _dataset_metadata(name: str, license: str | None) -> Any:
    """As above, of a study. Its many small files of different kinds are nothing for the Hub's table viewer."""
    from huggingface_hub import DatasetCardData

    return DatasetCardData(
        license=license,
        pretty_name=plain_line(name, 100),
        task_categories=["image-classification"],
        tags=[LIBRARY, "training-records"],
        viewer=False,
    )
