"""docs/channels.md says what the adapters say."""

import adapters
from adapters import page, scaffold
from tests.contract.payloads import FOLDERS, LEAST


def test_the_page_is_current():
    assert page.PAGE.read_text() == page.text(), "docs/channels.md is old: python -m adapters.page"


def test_a_channel_is_ready_when_nothing_is_missing():
    assert page.names() == [name for name in adapters.names() if (page.HERE / name).is_dir()]
    for name in page.names():
        assert page.level(name) == ("Draft" if page.missing(name) else "Ready")


def test_one_rule_on_payloads():
    """The page, the scaffold and this suite may not import each other, and must agree."""
    assert page.PAYLOADS == scaffold.PAYLOADS == FOLDERS
    assert page.LEAST == LEAST
