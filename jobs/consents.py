"""Connecting by authorization: the vendor's consent page, the code it sends back, the token it is traded for."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import ValidationError

from hub import consent, oauth
from hub.consent import Declined
from hub.contract import Adapter, Credentials, OAuth, Token, json_of
from hub.faults import ChannelError
from hub.model import Request
from hub.secrets import SecretsError, new_token, same, token_hash
from hub.store import consents, new_id, stock
from hub.store.accounts import Account
from hub.store.consents import Consent
from jobs import admission, connect
from jobs.admission import Admitted, Turned
from jobs.connect import Refused
from jobs.runtime import Runtime

LASTS = timedelta(minutes=15)


class Stale(Exception):
    """The answer belongs to no authorization that may still be used: `why` is one of unknown, used, expired, other."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """Who asks for an authorization, and may bring its answer: a person, for a seller, in one session.

    A program (no person, no session) asks for whoever may connect accounts of the seller: the address that it is told
    holds the state, and the hub lets nobody else take the answer.
    """

    seller_id: UUID
    user_id: UUID | None = None
    session_id: UUID | None = None


def oauth_of(adapter: Adapter) -> OAuth:
    """How a channel is authorized; Refused for one that knows only keys."""
    if adapter.oauth is None:
        sentence = f"{adapter.label} has no authorization page: connect it by its keys"
        raise Refused(sentence, "no_consent_page", label=adapter.label)
    return adapter.oauth


async def known(rt: Runtime, seller_id: UUID, channel: str, account: Account | None = None) -> dict[str, Any]:
    """What need not be typed again, in clear: the application's own fields, as kept or as an account of it has them.

    `account`: the one that is connected again, whose other fields are known too.
    """
    app_fields = {*oauth_of(rt.adapter(channel)).app, "endpoint"}
    async with rt.db.seller(seller_id) as tx:
        kept, newest = await consents.app(tx, channel), await consents.newest(tx, channel)
    told: dict[str, Any] = {}
    with suppress(SecretsError):  # sealed under a key that is gone: it is typed again
        for sealed in newest:
            told |= json.loads(rt.vault.open(sealed)["credentials"])
        told |= json.loads(rt.vault.open(kept)["app"]) if kept else {}
    shared = {name: value for name, value in told.items() if name in app_fields and value is not None}
    own = await admission.kept_fields(rt, account) if account else {}
    return {**shared, **own}


async def typed_over(
    rt: Runtime, seller_id: UUID, channel: str, typed: Mapping[str, str], account: Account | None = None
) -> tuple[dict[str, Any], dict[str, str]]:
    """What was typed over what is `known`, as `begin` takes it, and what is wrong with it, by field."""
    flow = oauth_of(connect.adapter_named(channel))
    model = consent.draft(rt.adapter(channel).credentials, flow)
    try:
        kept = await known(rt, seller_id, channel, account)
    except SecretsError:  # sealed under a key that is gone: everything is typed again
        kept = {}
    told = connect.merged(model, {name: value for name, value in kept.items() if name in model.model_fields}, typed)
    return told, connect.amiss(model, {name: value for name, value in told.items() if name not in flow.untyped()})


async def begin(
    rt: Runtime, asker: Asker, channel: str, told: Mapping[str, Any], base: str, *, name: str | None = None,
    account: Account | None = None,
) -> str:  # fmt: skip
    """The address of the vendor's consent page.

    `told`: what was typed, over what is `known`; `base`: the hub's address. Refused names the field that is missing
    or wrong.
    """
    adapter = connect.adapter_named(channel)
    flow = oauth_of(adapter)
    typed = {key: value for key, value in told.items() if key not in flow.untyped()}
    credentials = draft_of(adapter, typed)
    verifier, consent_id = new_token(), new_id()
    state, back = f"{consent_id.hex}-{new_token()}", consent.return_address(base, channel)
    try:
        page = flow.authorize(credentials, back, state, oauth.challenge_of(verifier))
    except ChannelError as problem:
        raise Refused(problem.detail) from None
    if not page.lower().startswith(("https://", "http://")) or not page.isprintable() or " " in page:
        raise Refused(f"{adapter.label}: that is no http or https address", "no_address", label=adapter.label)
    sealed = rt.vault.seal({"verifier": verifier, "typed": json.dumps(typed), "name": name or ""})
    asked = Consent(
        id=consent_id, channel=channel, account_id=account.id if account else None, user_id=asker.user_id,
        session_id=asker.session_id, state_hash=token_hash(state), sealed=sealed, redirect_uri=back,
        expires_at=rt.now() + LASTS, used_at=None,
    )  # fmt: skip
    app = {key: typed[key] for key in (*flow.app, "endpoint") if typed.get(key)}
    async with rt.db.seller(asker.seller_id) as tx:
        await consents.add(tx, asked, rt.now())
        if asker.user_id is not None:  # a program's is known by the account, once a person let that in
            await consents.keep_app(tx, channel, rt.vault.seal({"app": json.dumps(app)}))
        subject = str(account.id) if account else channel
        await stock.audit(tx, "account_authorize", subject, channel=channel, host=urlsplit(page).netloc)
    return page


def draft_of(adapter: Adapter, typed: Mapping[str, Any]) -> Credentials:
    """Credentials before the consent. Refused names the field that is missing or wrong."""
    model = consent.draft(adapter.credentials, oauth_of(adapter))
    return connect.read_credentials(replace(adapter, credentials=model), typed)


async def take(rt: Runtime, asker: Asker, channel: str, state: str) -> Consent:
    """The authorization that this state is of, used up by this; it has what was sealed in it still.

    Stale for one that is not this asker's to use: nothing is used up then.
    """
    try:
        consent_id = UUID(state.partition("-")[0])
    except ValueError:
        raise Stale("unknown") from None
    async with rt.db.seller(asker.seller_id) as tx:
        asked = await consents.get(tx, consent_id)
        if asked is None or not same(asked.state_hash, token_hash(state)) or asked.channel != channel:
            raise Stale("unknown")
        is_persons = asked.user_id is not None or asked.session_id is not None
        if is_persons and (asked.user_id, asked.session_id) != (asker.user_id, asker.session_id):
            raise Stale("other")
        if asked.expires_at <= rt.now():
            raise Stale("expired")
        if not await consents.use(tx, consent_id, rt.now()):
            raise Stale("used")
    return asked


async def finish(rt: Runtime, seller_id: UUID, asked: Consent, query: Mapping[str, str]) -> Admitted:
    """Trade the code that came back, and let the account in (or in again).

    Declined (the vendor's own refusal, or an answer that lacks something) or Turned (jobs.admission): in neither of
    them anything changed.
    """
    opened = rt.vault.open(asked.sealed or b"")
    typed, adapter = json.loads(opened["typed"]), connect.adapter_named(asked.channel)
    flow = oauth_of(adapter)
    try:
        granted = consent.read_back(flow, draft_of(adapter, typed), query)
        told = {**typed, **granted.told}
        draft = draft_of(adapter, told)
        request = flow.exchange(draft, granted.code, asked.redirect_uri, opened["verifier"])
        token, fields = await _traded(rt, adapter, asked, draft, request)
        credentials = adapter.credentials.model_validate({**told, **fields})
    except ChannelError as problem:
        raise Turned("refused", label=adapter.label, detail=problem.detail, fault=problem.fault) from None
    except ValidationError as problem:
        raise Declined("incomplete", ", ".join(sorted({str(error["loc"][0]) for error in problem.errors()}))) from None
    if asked.account_id is None:
        name = opened["name"] or None
        return await admission.admit(rt, seller_id, asked.channel, credentials, token=token, name=name)
    return await admission.readmit(rt, await rt.account(seller_id, asked.account_id), credentials, token=token)


async def _traded(
    rt: Runtime, adapter: Adapter, asked: Consent, credentials: Credentials, request: Request
) -> tuple[Token | None, dict[str, str]]:
    """The code traded: a token, or fields of the credentials where the channel's tokens never end."""
    api = rt.talk(
        asked.channel, asked.account_id or asked.id, credentials, headers={}, tokens=None, facts={}, external_id=None,
        app_key=connect.app_key_of(adapter, asked.channel, credentials),
    )  # fmt: skip
    reply = await api.call(request)
    if adapter.token is not None and not oauth_of(adapter).grants:
        return adapter.token.read(reply, rt.now()), {}
    answer = json_of(reply)
    return None, consent.granted_by(oauth_of(adapter), answer if isinstance(answer, dict) else {})
