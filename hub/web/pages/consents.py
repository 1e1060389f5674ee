"""Connecting by authorization: on to the vendor's consent page, and what it sends back."""

from typing import Any

from aiohttp import web

from hub import consent
from hub.consent import Declined
from hub.contract import Adapter
from hub.store.accounts import Account
from hub.web import account_words, refusal_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages import accounts, connecting, reconnecting
from jobs import consents
from jobs.admission import Turned
from jobs.connect import Refused
from jobs.consents import Asker, Stale

LONGEST = 4000  # characters of a parameter that a vendor sends back


def _asker(visit: Visit) -> Asker:
    if visit.session.session_id is None:
        raise Problem(403)
    return Asker(seller_id=visit.seller_id, user_id=visit.person.user_id, session_id=visit.session.session_id)


async def start(visit: Visit) -> web.Response:
    """On to the consent page of a channel, for a new account."""
    channel = visit.form.get("channel")
    adapter = accounts.adapter_of(channel)
    if adapter is None or channel is None or adapter.oauth is None:
        raise Problem(400)
    return await _start(visit, channel, adapter, None)


async def start_again(visit: Visit) -> web.Response:
    """On to the consent page, for an account that is connected again."""
    account = await accounts.account_in_path(visit)
    adapter = accounts.adapter_of(account.channel)
    if adapter is None or adapter.oauth is None:
        raise Problem(400)
    return await _start(visit, account.channel, adapter, account)


async def _start(visit: Visit, channel: str, adapter: Adapter, account: Account | None) -> web.Response:
    typed = connecting.typed_in(visit.form)
    told, found = await consents.typed_over(visit.rt, visit.seller_id, channel, typed, account)
    problems = connecting.worded(visit, adapter.credentials, found)
    base = consent.home(visit.rt.policy.public_url, connecting.origin(visit))
    page, name = None, visit.form.get("name", "").strip()[: connecting.LONGEST_NAME] or None
    if base is None:
        problems = {"": visit.language.gettext(account_words.NO_ADDRESS)}
    if base is not None and not problems:
        try:
            page = await consents.begin(visit.rt, _asker(visit), channel, told, base, name=name, account=account)
        except Refused as refusal:
            problems = {"": refusal_words.told(visit.language, refusal)}
    if page is None:
        return await _form(visit, channel, adapter, account, typed, problems)
    # The page that a form was sent to may not lead to another host (form-action): this one goes on by itself.
    answer = visit.render("connect_leave.html", label=adapter.label, page=page, account=account)
    answer.headers["Refresh"] = f"0;url={page}"
    return answer


async def _form(
    visit: Visit, channel: str, adapter: Adapter, account: Account | None, typed: dict[str, str],
    problems: dict[str, str],
) -> web.Response:  # fmt: skip
    if account is not None:
        return await reconnecting.render(visit, account, adapter, typed=typed, problems=problems, status=422)
    return await connecting.authorization(visit, channel, adapter, told=typed, problems=problems, status=422)


async def back(visit: Visit) -> web.Response:
    """What the vendor sent the person back with."""
    channel = visit.request.match_info["channel"]
    adapter = accounts.adapter_of(channel)
    if adapter is None or adapter.oauth is None:
        raise Problem(404)
    query = {name: value[:LONGEST].replace("\x00", "") for name, value in visit.request.query.items()}
    asked: Any = None
    try:
        asked = await consents.take(visit.rt, _asker(visit), channel, query.get("state", ""))
        made = await consents.finish(visit.rt, visit.seller_id, asked, query)
    except Stale as refusal:
        sentence, status = account_words.stale(visit.language, refusal), 409
    except Declined as refusal:
        sentence, status = account_words.declined(visit.language, refusal), 422
    except Turned as refusal:
        sentence, status = account_words.turned(visit.language, refusal), 422
    except LookupError:
        sentence, status = visit.language.gettext(N_("A conta que seria religada não existe mais.")), 409
    else:
        return connecting.welcome(visit, made)
    again = f"/contas/nova?canal={channel}"
    if asked is not None and asked.account_id is not None:
        again = f"/contas/{asked.account_id}/religar"
    return visit.render("connect_back.html", status=status, label=adapter.label, sentence=sentence, again=again)
