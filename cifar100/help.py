"""The listing of --help: the groups of conf/ and their choices."""

from textwrap import wrap

from cifar100.config import CONF

ROWS = "row"  # the rows of the study's tables: experiments name them, and they are many


def groups() -> str:
    """A line for each group with its choices, wrapped to a terminal; the rows of tables are counted, not listed."""
    folders = sorted(folder for folder in CONF.iterdir() if folder.is_dir() and folder.name not in (ROWS, "hydra"))
    listing = {folder.name: ", ".join(sorted(file.stem for file in folder.glob("*.yaml"))) for folder in folders}
    tables = sorted({file.stem.partition("_0")[0] for file in (CONF / ROWS).glob("*_0*.yaml")})
    listing[ROWS] = f"one row of a table ({', '.join(tables)}), as row=main_0_resnet20 or row='glob(main_*)'"
    lines = []
    for name, choices in listing.items():
        first, *more = wrap(choices, 98)
        lines += [f"  {name:<13} {first}", *(f"{'':<16}{line}" for line in more)]
    return "\n".join(lines)
