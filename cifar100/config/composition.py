"""Hydra's composition, without the work that a process has done before or that nothing depends on."""

import os
import re
from functools import lru_cache
from typing import Any

from omegaconf import OmegaConf


def compose_quickly() -> None:
    """Lets this process parse each file and each interpolation once, and leave out of each composition what nobody asks
    for.

    A sweep composes every job from the same forty files. For each of these hydra collects all choices, to resolve
    interpolations of its defaults list, which few have. And before it runs anything it composes all to learn whether
    a file sets ``hydra.mode``, which here only experiments do. Other versions than hydra 1.3 are left as they are.
    """
    import hydra
    import omegaconf.base
    from hydra._internal import defaults_list
    from hydra._internal import hydra as application
    from hydra.core.plugins import Plugins

    if hasattr(omegaconf.base.parse, "cache_info") or not hydra.__version__.startswith("1.3."):
        return
    omegaconf.base.parse = lru_cache(maxsize=4096)(omegaconf.base.parse)  # a tree that is only visited
    Plugins.instance()  # loads the next module anew
    from hydra._internal.core_plugins import file_config_source

    file_config_source.OmegaConf = _ParsedOnce  # type: ignore[misc]
    choices, get_mode = defaults_list._create_interpolation_map, application.Hydra.get_mode

    def choices_asked_for(overrides: Any, defaults: list[Any], self_added: bool) -> Any:
        asked = any(each.is_interpolation() for each in defaults)
        return choices(overrides, defaults, self_added) if asked else None

    def quick_mode(self: Any, config_name: str | None, overrides: list[str]) -> Any:
        folders = {each.provider for each in self.config_loader.get_search_path().get_path()}
        if "command-line" in folders or any(re.match(r"[+~]*(hydra|experiment)\b", each) for each in overrides):
            return get_mode(self, config_name, overrides)
        return None

    defaults_list._create_interpolation_map = choices_asked_for
    application.Hydra.get_mode = quick_mode


class _ParsedOnce:
    """In the place of OmegaConf where hydra reads files."""

    @staticmethod
    def load(file: Any) -> Any:
        status = os.fstat(file.fileno())
        return OmegaConf.create(_parsed(file.name, status.st_mtime_ns, status.st_size))


@lru_cache(maxsize=1024)
def _parsed(path: str, modified_ns: int, size: int) -> Any:
    return OmegaConf.to_container(OmegaConf.load(path))
