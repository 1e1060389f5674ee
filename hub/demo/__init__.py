"""The demo: the whole hub on this machine, against channels that behave as their documentation says."""

from hub.demo.run import Wanted, run

__all__ = ["Wanted", "run"]
