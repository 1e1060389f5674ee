"""The comparison of docs/BENCH.md with one seed: what is sold too often is named, and far less than where one polls."""

import pytest

from tests import oversell


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_this_hub_names_what_it_oversells_and_oversells_far_less_than_one_that_polls() -> None:
    hub, polling = (oversell.run(mode, 1, 20.0) for mode in oversell.MODES if mode.name != "unguarded")
    for one in (hub, polling):
        assert one.short == one.oversold
        assert one.shown == 0
        assert one.held == one.sold - one.oversold
    assert hub.oversold * 4 < polling.oversold
