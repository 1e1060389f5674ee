"""What holds for every test: a failure is named when it happens, and what takes longest begins first."""

import pytest


class AtOnce:
    """Names what fails, where the report is written: a run that is cut short has still told it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if report.failed and terminal is not None:
            terminal.ensure_newline()
            terminal.line(f"{report.nodeid}: {report.when} failed after {report.duration:.1f} s")


def pytest_configure(config: pytest.Config) -> None:
    """The workers of a run in several processes report to the one that writes."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(AtOnce(config))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files of slow tests come first, whatever order chance gave: at the end one process would wait for another."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)
