"""The search for hyper-parameters as a sweeper of Hydra, which looks for plugins in this namespace alone and imports
all of them at the start of every command."""

from typing import Any

from hydra.core.plugins import Plugins
from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig, open_dict, read_write


class Search(Sweeper):
    """See :func:`cifar100.sweep.search.search`; its options are explained in conf/hydra/sweeper/hpo.yaml."""

    def __init__(self, **options: Any) -> None:
        self.options = options

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        self.config, self.hydra_context = config, hydra_context
        self.launcher = Plugins.instance().instantiate_launcher(
            hydra_context=hydra_context, task_function=task_function, config=config
        )

    def sweep(self, arguments: list[str]) -> None:
        from cifar100.config import build
        from cifar100.sweep.search import check_possible, search, search_space

        check_possible()
        options = self.options
        parameters = [f"{name}={value}" for name, value in (options["params"] or {}).items()]
        space, fixed = search_space([*parameters, *arguments], self.hydra_context.config_loader)
        hydra = self.config.hydra
        with read_write(hydra), open_dict(hydra):  # for all jobs: hydra lets none have a sweeper of its own
            hydra.sweeper.searched = list(space)
            hydra.overrides.hydra.append(f"hydra.sweeper.searched=[{','.join(space)}]")
        search(
            self.launcher,
            hydra.sweep.dir,
            space,
            fixed,
            n_trials=options["n_trials"],
            n_jobs=options["n_jobs"],
            sampler=build(options["sampler"]),
            seed=options["seed"],
            pruner=build(options["pruner"]),
        )
