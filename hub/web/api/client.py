"""Writes hub/client/calls.py out of the API's operations: `python -m hub.web.api.client`."""

from pathlib import Path
from uuid import UUID

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from hub.web.api import OPERATIONS
from hub.web.api.operations import Operation
from hub.web.api.shapes import Nothing
from hub.web.i18n import Language

OUT = Path(__file__).parents[2] / "client" / "calls.py"
HEAD = '''"""Every operation of the REST API as a method. Written by `python -m hub.web.api.client`, not by hand."""

from collections.abc import Iterator
{uuid}
from hub.client.transport import Transport
from hub.web.api import (
{modules}
)


class Client(Transport):
    """A hub's REST API. Lists are read page by page, as they are walked through."""
'''


def _model(model: type[BaseModel]) -> str:
    return f"{model.__module__.rpartition('.')[2]}.{model.__name__}"


def _plain(field: FieldInfo) -> str:
    kind = field.annotation
    return {UUID: "UUID", int: "int"}.get(kind, "str") if isinstance(kind, type) else "str"


def _method(each: Operation, language: Language) -> str:
    named = {name: _plain(field) for name, field in each.named.model_fields.items()}
    words_of = {name: f"{name}_" if name == "id" else name for name in named}  # id is Python's own
    told = [f"{words_of[name]}: {kind}" for name, kind in named.items()]
    passed = [f"{name}={words_of[name]}" for name in named]
    if each.body is not None:
        told.append(f"body: {_model(each.body)}")
    if each.query is not Nothing:
        needed = any(field.is_required() for field in each.query.model_fields.values())
        told.append(f"query: {_model(each.query)}" + ("" if needed else " | None = None"))
    answer = "None" if each.answer is None else _model(each.answer)
    asked = [f'"{each.path}"']
    if each.query is not Nothing:
        asked.append("query=query")
    if each.place is not None:
        returned, call = f"Iterator[{answer}]", f"self.rows({', '.join([answer, *asked, *passed])})"
    else:
        asked = [*([answer] if each.answer else []), f'"{each.method}"', *asked]
        if named:
            asked.append("named={" + ", ".join(f'"{name}": {word}' for name, word in words_of.items()) + "}")
        if each.body is not None:
            asked.append("body=body")
        if each.once is not None:
            asked.append("once=True")
        returned, call = answer, f"self.{'ask' if each.answer else 'do'}({', '.join(asked)})"
    gives = "return " if each.answer else ""
    words = language.gettext(each.summary).rstrip(".")
    head = f"    def {each.name}(self{''.join(', ' + one for one in told)}) -> {returned}:"
    return f'\n{head}\n        """{words}."""\n        {gives}{call}\n'


def written() -> str:
    """The module's text, before it is formatted."""
    language = Language("en")
    models = {each.answer for each in OPERATIONS} | {each.body for each in OPERATIONS}
    models |= {each.query for each in OPERATIONS if each.query is not Nothing}
    modules = sorted({model.__module__.rpartition(".")[2] for model in models if model is not None})
    body = "".join(_method(each, language) for each in sorted(OPERATIONS, key=lambda each: each.name))
    head = HEAD.format(
        uuid="from uuid import UUID\n" if ": UUID" in body else "",
        modules="\n".join(f"    {each}," for each in modules),
    )
    return head + body


def main() -> None:
    """Write it."""
    OUT.write_text(written())


if __name__ == "__main__":
    main()
