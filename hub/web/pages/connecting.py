"""Connecting a channel: pick it, then by authorization or by keys; the form is the adapter's own schema."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

import adapters
from hub import consent
from hub.contract import Adapter
from hub.web import account_words, refusal_words, words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages import accounts
from jobs import admission, connect, consents
from jobs.admission import Admitted

PREFIX = "c_"  # keeps a channel's field names apart from the form's own
LONGEST = 4000
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a connect form. A secret is never sent back to the browser; `kept`: it is known here already."""

    name: str
    title: str
    hint: str | None
    type: str
    required: bool
    value: str
    problem: str | None
    kept: bool


def fields(
    visit: Visit, model: type[BaseModel], told: Mapping[str, Any], problems: Mapping[str, str], *,
    kept: Mapping[str, Any] | None = None, but: Collection[str] = (),
) -> list[Field]:  # fmt: skip
    """The fields of a model of credentials, as its JSON schema describes them.

    `kept`: what the hub has of them already; `told`: what was typed over that.
    """
    schema, kept = model.model_json_schema(), kept or {}
    required = set(schema.get("required", ()))
    told = {**kept, **told}
    return [
        _field(visit, name, about, told, problems.get(name), required=name in required, kept=bool(kept.get(name)))
        for name, about in schema["properties"].items()
        if name not in but
    ]


def _field(
    visit: Visit, name: str, about: Mapping[str, Any], told: Mapping[str, Any], problem: str | None, *,
    required: bool, kept: bool,
) -> Field:  # fmt: skip
    secret, numeric = connect.is_secret(about), any(each.get("type") == "integer" for each in connect.kinds_of(about))
    title = str(about.get("title") or name)
    examples = [str(each) for each in about.get("examples", ())]
    hint = words.FIELDS.get(str(about.get("description", "")), "") or about.get("description", "")
    default = about.get("default")
    return Field(
        name=PREFIX + name,
        title=visit.language.gettext(words.FIELDS[title]) if title in words.FIELDS else title,
        hint=(visit.language.gettext(hint) if hint in words.FIELDS.values() else hint) or next(iter(examples), None),
        type="password" if secret else "number" if numeric else "text",
        required=required and not (secret and kept),
        value="" if secret else str(told.get(name, "" if default is None else default) or ""),
        problem=problem,
        kept=secret and kept,
    )


def typed_in(form: Mapping[str, str]) -> dict[str, str]:
    """What a form tells of credentials, by field; an empty one is there, and empty."""
    return {name[len(PREFIX) :]: value.strip()[:LONGEST] for name, value in form.items() if name.startswith(PREFIX)}


def wrong(visit: Visit, model: type[BaseModel], told: Mapping[str, Any]) -> dict[str, str]:
    """What is wrong with each field, by its name; "" for the form as a whole."""
    return worded(visit, model, connect.amiss(model, told))


def worded(visit: Visit, model: type[BaseModel], amiss: Mapping[str, str]) -> dict[str, str]:
    """The same in words, of what is known to be wrong."""
    found: dict[str, str] = {}
    for field, kind in amiss.items():
        sentence = words.FIELD_PROBLEMS.get(kind, words.FIELD_PROBLEM)
        found.setdefault(field if field in model.model_fields else "", visit.language.gettext(sentence))
    return found


def origin(visit: Visit) -> str:
    """Scheme and host by which the reader came."""
    return f"{visit.request.scheme}://{visit.request.host}"


# ── picking ─────────────────────────────────────────────────────────────────────────────────────────────────


async def form(visit: Visit) -> web.Response:
    """Choose a channel, then say how it is connected."""
    channel = visit.asked("canal")
    adapter = accounts.adapter_of(channel)
    if adapter is None or channel is None:
        return await _choose(visit)
    if adapter.oauth is not None and visit.asked("modo") != "chaves":
        return await authorization(visit, channel, adapter)
    return key_form(visit, channel, adapter, {}, {})


async def _choose(visit: Visit) -> web.Response:
    kind = visit.asked("tipo")
    known = [(name, adapters.get(name)) for name in adapters.names()]
    async with visit.tx() as tx:
        counts = await accounts.counted(tx)
    tiles = {
        each: [
            {
                "channel": name, "label": adapter.label, "can": account_words.capabilities(adapter),
                "oauth": adapter.oauth is not None, "count": counts.get(name, 0),
            }
            for name, adapter in sorted(known, key=lambda pair: pair[1].label.casefold())
            if adapter.kind.value == each
        ]
        for each in account_words.KINDS
    }  # fmt: skip
    shown = {kind: tiles[kind]} if kind in tiles else tiles
    return visit.render("connect_choose.html", kinds=account_words.KINDS, tiles=shown, kind=kind)


# ── by authorization ────────────────────────────────────────────────────────────────────────────────────────


async def authorization(
    visit: Visit, channel: str, adapter: Adapter, *, told: Mapping[str, Any] | None = None,
    problems: Mapping[str, str] | None = None, status: int = 200,
) -> web.Response:  # fmt: skip
    """The form before a vendor's consent page: the application, typed once, and whose shop it is."""
    flow = consents.oauth_of(adapter)
    model, base = consent.draft(adapter.credentials, flow), consent.home(visit.rt.policy.public_url, origin(visit))
    known = await consents.known(visit.rt, visit.seller_id, channel)
    every = fields(visit, model, told or {}, problems or {}, kept=known, but=flow.untyped())
    first = {PREFIX + name for name in (*flow.asks, *flow.app)}
    has_app = all(known.get(name) for name in flow.app) and not any(name in flow.app for name in problems or {})
    hidden = {PREFIX + name for name in flow.app} if has_app else set[str]()
    shown = [str(known[name]) for name in flow.app if known.get(name) and name not in connect.secrets_of(model)]
    return visit.render(
        "connect_authorize.html", status=status, channel=channel, adapter=adapter, name=visit.form.get("name", ""),
        asked=[each for each in every if each.name in first - hidden],
        app=[each for each in every if each.name in hidden], app_name=" · ".join(shown),
        more=[each for each in every if each.name not in first], problem=(problems or {}).get(""),
        back=consent.return_address(base, channel) if base else None,
    )  # fmt: skip


# ── by keys ─────────────────────────────────────────────────────────────────────────────────────────────────


def key_form(
    visit: Visit, channel: str, adapter: Adapter, told: Mapping[str, str], problems: Mapping[str, str],
    status: int = 200,
) -> web.Response:  # fmt: skip
    """The form of a channel's whole credentials."""
    return visit.render(
        "connect.html", status=status, channel=channel, adapter=adapter, name=visit.form.get("name", ""),
        fields=fields(visit, adapter.credentials, told, problems), problem=problems.get(""),
    )  # fmt: skip


async def connect_account(visit: Visit) -> web.Response:
    """Connect it, in preview: everything is read there, nothing is written until it is approved."""
    channel = visit.form.get("channel")
    adapter = accounts.adapter_of(channel)
    if adapter is None or channel is None:
        raise Problem(400)
    told = {name: value for name, value in typed_in(visit.form).items() if value}
    if problems := wrong(visit, adapter.credentials, told):
        return key_form(visit, channel, adapter, told, problems, 422)
    name = visit.form.get("name", "").strip()[:LONGEST_NAME] or None
    try:
        credentials = connect.read_credentials(adapter, told)
        made = await admission.admit(visit.rt, visit.seller_id, channel, credentials, name=name)
    except admission.Turned as refusal:
        return key_form(visit, channel, adapter, told, {"": account_words.turned(visit.language, refusal)}, 422)
    except connect.Refused as refusal:
        return key_form(visit, channel, adapter, told, {"": refusal_words.told(visit.language, refusal)}, 422)
    return welcome(visit, made)


def welcome(visit: Visit, made: Admitted) -> web.Response:
    """On to the page of an account that was let in, saying what happens now."""
    name, label = made.account.name, accounts.label_of(made.account.channel)
    if made.identity is None:
        visit.say("bad", N_("%(name)s foi guardada, mas ainda não está ligada: veja abaixo por quê."), name=name)
    elif made.reopened:
        visit.say(
            "ok", N_("%(label)s respondeu: a conta é %(there)s. Ela já esteve ligada: a história dela continua."),
            label=label, there=made.identity.name,
        )  # fmt: skip
    else:
        visit.say("ok", N_("%(label)s respondeu: a conta é %(name)s."), label=label, name=made.identity.name)
    return visit.go(f"/contas/{made.account.id}")
