"""What docs/GUARDS.md says is there: each guard in its place, and the test that fails without it."""

import ast
import re

import pytest

from tests.guards import GUARDS, ROOT, Guard, page

TREES: dict[str, str] = {}


def text(file: str) -> str:
    return TREES.setdefault(file, (ROOT / file).read_text())


def functions(file: str) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(text(file)))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_a_guard_stands_where_the_page_says(guard: Guard) -> None:
    before, after = guard.out
    assert text(guard.file).count(before) == 1, "the text that is taken out stands there once"
    assert before != after
    if guard.file.endswith(".py"):
        assert guard.function in functions(guard.file)
    else:
        assert guard.function in text(guard.file)


@pytest.mark.parametrize("guard", GUARDS, ids=lambda guard: guard.name)
def test_the_test_that_fails_without_it_exists(guard: Guard) -> None:
    assert guard.tests
    for test in guard.tests:
        file, _, name = test.partition("::")
        assert not name or name in functions(file)


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "GUARDS.md").read_text() == page(), "python -m tests.guards --page"
    assert len({guard.name for guard in GUARDS}) == len(GUARDS)


def test_every_race_of_the_page_has_a_guard() -> None:
    assert len(GUARDS) >= 25
    assert len(re.findall(r"(?m)^## ", page())) == len({guard.race for guard in GUARDS})
