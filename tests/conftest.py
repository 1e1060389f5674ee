"""What holds for every test: a failure is named when it happens, so that a run that is cut short still told it."""

import pytest


class AtOnce:
    """Names what fails, where the report is written."""

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
