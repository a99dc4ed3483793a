"""Data and augmentation, training, environment and measures."""

from cifar100.base.text import plain_line
from cifar100.report.document.document import Bullets, Cite, Paragraph, Ref, Section, TableBlock
from cifar100.report.document.report import Report
from cifar100.report.records.provenance import data_names, machines, versions, whole
from cifar100.report.tables.settings import recipe_table

# The steps of augmentation and the options that switch them on.
AUGMENT = {
    "padding": "padding", "flip": "flip", "policy": "policy", "cutout": "cutout", "mixup": "mixup_alpha",
    "cutmix": "cutmix_alpha",
}  # fmt: skip


def setup(report: Report) -> Section:
    table = TableBlock(recipe_table(report.main, report.words))
    data, training = _data(report), _training(report)
    return report.section(
        "setup.heading",
        sections=[
            report.section("setup.data_heading", *data, id="data"),
            report.section("setup.training_heading", *training, table, id="training"),
            report.section("setup.environment_heading", *_environment(report), id="environment"),
            report.section("setup.measures_heading", *_measures(report), id="measures"),
        ],
        slides=[
            report.slide("setup", Bullets(tuple(each.text for each in [*data, training[-1]]))),
            report.slide("setup", table, key="recipe"),
        ],
    )


def _data(report: Report) -> list[Paragraph]:
    shared = report.main.shared_recipe
    held_out, tested = whole(shared.get("data.val_size")), whole(shared.get("evaluation.n"))
    is_cifar100 = data_names(report.studies) == ["cifar100"]
    recorded = report.baseline.runs[0].config["augment"]
    steps = [
        report.line(f"setup.augment.{step}", **{key: plain_line(recorded[key], 24)})
        for step, key in AUGMENT.items()
        if recorded.get(key)
    ]
    found = [
        report.paragraph("setup.normalized_cifar100" if is_cifar100 else "setup.normalized"),
        report.paragraph("setup.augmented" if steps else "setup.not_augmented", steps=report.series(steps)),
    ]
    if held_out is not None:
        found.append(report.paragraph("setup.held_out" if held_out else "setup.none_held_out", n=held_out))
    if tested:
        found.append(report.paragraph("setup.tested", n=tested, share=f"{100 / tested:.2g}"))
    return found


def _training(report: Report) -> list[Paragraph]:
    cites = {"sgdr": Cite("loshchilov2016sgdr"), "adamw": Cite("loshchilov2017adamw")}
    found = [report.paragraph("setup.recipe", table=Ref("recipes"), **cites)]
    if report.main.one_recipe:
        found.append(report.paragraph("setup.one_recipe"))
    elif own := [row.label for row in report.main.rows if row.own_recipe]:
        found.append(report.paragraph("setup.own_recipe", rows=report.listed(own)))
    return [*found, report.paragraph("setup.seeds")]


def _environment(report: Report) -> list[Paragraph]:
    made = [
        report.line("setup.machine", cpu=cpu, cores=cores, gpus=gpus or report.line("setup.no_gpu"))
        for cpu, cores, gpus in machines(report.studies)
    ]
    software, found = versions(report.studies), []
    if made:
        found.append(report.paragraph("setup.machines", machines="; ".join(made)))
    if software:
        found.append(report.paragraph("setup.software", versions=report.series(software)))
    return found


def _measures(report: Report) -> list[Paragraph]:
    cites = {"dunnett": Cite("dunnett1955"), "tukey": Cite("tukey1949")}
    found = [report.paragraph("setup.measures"), report.paragraph("setup.statistics", **cites)]
    runs = [(row.label, run.evaluation) for row in report.rows() for run in row.runs]
    partial = dict.fromkeys(label for label, evaluation in runs if evaluation.get("uncounted_operators"))
    if partial:
        found.append(report.paragraph("setup.uncounted", rows=report.listed(partial)))
    return found
