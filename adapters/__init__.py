"""The registry is this directory; packages installed by others join through the entry-point group balcao.channels."""

import importlib
import pkgutil
from functools import cache
from importlib.metadata import entry_points

from hub.contract import Adapter


@cache
def names() -> tuple[str, ...]:
    """Every channel's name, sorted: a folder here, or an entry point."""
    here = {module.name for module in pkgutil.iter_modules(__path__) if module.ispkg}
    return tuple(sorted(here | {point.name for point in entry_points(group="balcao.channels")}))


@cache
def trackers() -> tuple[str, ...]:
    """Channels that tell where parcels are."""
    return tuple(name for name in names() if get(name).tracking is not None)


@cache
def get(name: str) -> Adapter:
    """The adapter of a channel; KeyError names the channels there are."""
    if name not in names():
        raise KeyError(f"no channel named {name!r}; there are: {', '.join(names())}")
    for point in entry_points(group="balcao.channels"):
        if point.name == name:
            found: Adapter = point.load()
            return found
    adapter: Adapter = importlib.import_module(f"adapters.{name}").ADAPTER
    return adapter
