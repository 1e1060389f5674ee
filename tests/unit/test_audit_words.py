"""Whatever is noted in the audit log has words: each place that notes something is found in the code itself."""

import ast
from collections.abc import Iterator
from pathlib import Path

from hub.web.settings_words import ACTION

ROOT = Path(__file__).parents[2]
# Where the action is not written out: what it can be.
NAMED = {
    ("jobs/proposals.py", "action"): {"drift_accept", "drift_dismiss"},
    ("jobs/purchase.py", "f'purchase_{status}'"): {"purchase_closed", "purchase_cancelled"},
}


def noted() -> Iterator[tuple[str, ast.expr]]:
    """(file, action) of every call of stock.audit."""
    for folder in ("hub", "jobs", "adapters"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            text = path.read_text()
            if "audit(" not in text:
                continue
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "stock.audit":
                    yield str(path.relative_to(ROOT)), node.args[1]


def _actions(file: str, told: ast.expr) -> set[str]:
    match told:
        case ast.Constant(value=str() as action):
            return {action}
        case ast.IfExp():
            return _actions(file, told.body) | _actions(file, told.orelse)
    return NAMED[file, ast.unparse(told)]


def test_every_action_of_the_log_has_words():
    found = [(file, action) for file, told in noted() for action in _actions(file, told)]
    assert len(found) > 100, "calls of stock.audit are not found any more"
    assert {action: file for file, action in found if action not in ACTION} == {}
    assert ACTION.keys() - {action for _file, action in found} == set(), "words of what nobody notes"
