"""An adapter can be read whole: see docs/adr/0019."""

import ast
import io
import tokenize
from pathlib import Path

import pytest

import adapters

MOST = 700
_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def lines_of_code(text: str) -> int:
    """Lines that are left without blank ones, comments and docstrings."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in _LAYOUT:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node) is not None:
            said = node.body[0]
            lines.difference_update(range(said.lineno, (said.end_lineno or said.lineno) + 1))
    return len(lines)


def test_what_counts():
    head = '"""Says."""\n\n# why\nONE = (\n    1,\n)\n\n\n'
    body = 'def two():\n    """Also\n    says."""\n    return """a\nb"""  # this\n'
    assert lines_of_code(head + body) == 6


@pytest.mark.parametrize("name", adapters.names())
def test_an_adapter_can_be_read_whole(name: str):
    folder = Path(adapters.__path__[0]) / name
    files = [path for path in folder.glob("*.py") if path.name != "sandbox.py"]
    assert sum(lines_of_code(path.read_text()) for path in files) <= MOST
