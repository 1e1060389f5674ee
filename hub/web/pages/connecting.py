"""Connecting a channel: the form is the adapter's own schema of credentials; then a live check in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import ValidationError

import adapters
from hub.contract import Adapter
from hub.web import words
from hub.web.edge import Problem, Visit
from hub.web.pages import accounts
from jobs import connect

PREFIX = "c_"  # keeps a channel's field names apart from the form's own
LONGEST = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a connect form. A secret is never sent back to the browser."""

    name: str
    title: str
    hint: str | None
    type: str
    required: bool
    value: str
    problem: str | None


def fields(visit: Visit, adapter: Adapter, told: Mapping[str, str], problems: Mapping[str, str]) -> list[Field]:
    """The fields of an adapter's credentials, as its JSON schema describes them."""
    schema = adapter.credentials.model_json_schema()
    required = set(schema.get("required", ()))
    return [
        _field(visit, name, about, told, problems.get(name), required=name in required)
        for name, about in schema["properties"].items()
    ]


def _field(
    visit: Visit, name: str, about: Mapping[str, Any], told: Mapping[str, str], problem: str | None, *, required: bool
) -> Field:
    one_of = [about, *about.get("anyOf", ())]
    secret = any(each.get("format") == "password" or each.get("writeOnly") for each in one_of)
    numeric = any(each.get("type") == "integer" for each in one_of)
    title = str(about.get("title") or name)
    examples = [str(each) for each in about.get("examples", ())]
    hint = words.FIELDS.get(str(about.get("description", "")), "") or about.get("description", "")
    default = about.get("default")
    return Field(
        name=PREFIX + name,
        title=visit.language.gettext(words.FIELDS[title]) if title in words.FIELDS else title,
        hint=(visit.language.gettext(hint) if hint in words.FIELDS.values() else hint) or next(iter(examples), None),
        type="password" if secret else "number" if numeric else "text",
        required=required,
        value="" if secret else told.get(name, "" if default is None else str(default)),
        problem=problem,
    )


async def form(visit: Visit) -> web.Response:
    """Choose a channel, then fill in what it asks for."""
    channel = visit.asked("canal")
    adapter = accounts.adapter_of(channel)
    if adapter is None:
        known = [(name, adapters.get(name)) for name in adapters.names()]
        return visit.render("connect_choose.html", channels=known)
    return _form(visit, str(channel), adapter, {}, {})


def _form(
    visit: Visit, channel: str, adapter: Adapter, told: Mapping[str, str], problems: Mapping[str, str],
    status: int = 200,
) -> web.Response:  # fmt: skip
    return visit.render(
        "connect.html", status=status, channel=channel, adapter=adapter, name=visit.form.get("name", ""),
        fields=fields(visit, adapter, told, problems), problem=problems.get(""),
    )  # fmt: skip


async def connect_account(visit: Visit) -> web.Response:
    """Connect it, in preview: everything is read there, nothing is written until it is approved."""
    channel = visit.form.get("channel")
    adapter = accounts.adapter_of(channel)
    if adapter is None or channel is None:
        raise Problem(400)
    told = {
        name[len(PREFIX) :]: value.strip()[:LONGEST]
        for name, value in visit.form.items()
        if name.startswith(PREFIX) and value.strip()
    }
    if problems := _problems(visit, adapter, told):
        return _form(visit, channel, adapter, told, problems, 422)
    name = visit.form.get("name", "").strip()[:80] or None
    try:
        made = await connect.account_add(visit.rt, visit.seller_id, channel, told, name=name, check=False)
    except connect.Refused as refusal:
        return _form(visit, channel, adapter, told, {"": str(refusal)}, 422)
    await accounts.tell_check(visit, await visit.rt.account(visit.seller_id, made.account_id))
    return visit.go(f"/contas/{made.account_id}")


def _problems(visit: Visit, adapter: Adapter, told: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with each field, by its name; "" for the form as a whole."""
    try:
        adapter.credentials.model_validate(dict(told))
    except ValidationError as refusal:
        found: dict[str, str] = {}
        for error in refusal.errors(include_url=False, include_input=False):
            field = str(error["loc"][0]) if error["loc"] else ""
            field = field if field in adapter.credentials.model_fields else ""
            sentence = words.FIELD_PROBLEMS.get(error["type"], words.FIELD_PROBLEM)
            found.setdefault(field, visit.language.gettext(sentence))
        return found
    return {}
