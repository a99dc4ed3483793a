"""The figures of a search: its history, what mattered, and how the trials' epochs went."""

import logging
import warnings
from pathlib import Path
from typing import Any

log = logging.getLogger(__name__)


def draw_search(study: Any, folder: Path) -> None:
    """Writes Optuna's figures of a study, those that it has enough trials for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Optuna calls its figures experimental
        _draw(study, folder)


def _draw(study: Any, folder: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    import numpy as np
    from matplotlib import pyplot
    from matplotlib.ticker import NullFormatter
    from optuna.visualization import matplotlib as figures

    folder.mkdir(exist_ok=True)
    kinds = {
        "history": figures.plot_optimization_history,
        "importance": figures.plot_param_importances,
        "slices": figures.plot_slice,
        "epochs": figures.plot_intermediate_values,
    }
    for name, draw in kinds.items():
        try:
            axes = draw(study)
        except (ValueError, RuntimeError) as error:
            log.info("no figure of %s: %s", name, error)  # such as the importance of a single trial's parameters
            continue
        panels = np.ravel(axes)
        if name == "slices":  # as Optuna leaves them, the labels of neighbours overlap
            panels[0].figure.set_size_inches(4 * len(panels), 5)
            for panel in panels:
                panel.tick_params(axis="x", labelrotation=30)
                panel.xaxis.set_minor_formatter(NullFormatter())
        panels[0].figure.savefig(folder / f"{name}.png", dpi=150, bbox_inches="tight")
        pyplot.close("all")
