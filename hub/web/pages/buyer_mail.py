"""The words of e-mail to buyers: a seller's own for each event and language, shown as a buyer would read them."""

from aiohttp import web

from hub import buyer_mail as decide
from hub.buyer_mail import Template
from hub.store import deadlines
from hub.store import mails as store
from hub.web import policy_words, settings_words
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from jobs import mails
from jobs.connect import Refused

HOME = "/configuracoes/politicas/mensagens"
BAD = {
    "subject": N_("Escreva um assunto, em uma linha de até 200 caracteres, só com os campos da lista."),
    "body": N_("Escreva um texto de até 8000 caracteres, só com os campos da lista."),
}


def _chosen(event: str | None, locale: str | None) -> tuple[str, str]:
    if (event or decide.EVENTS[0]) not in decide.EVENTS or (locale or decide.LOCALES[0]) not in decide.LOCALES:
        raise Problem(404)
    return event or decide.EVENTS[0], locale or decide.LOCALES[0]


async def show(visit: Visit) -> web.Response:
    """The words for an event, and how they read."""
    event, locale = _chosen(visit.asked("evento"), visit.asked("para"))
    return await _show(visit, event, locale)


async def _show(
    visit: Visit, event: str, locale: str, told: Template | None = None, problem: tuple[str, str] | None = None
) -> web.Response:
    async with visit.tx() as tx:
        own = (await store.templates(tx)).get((event, locale))
        shop = (await deadlines.shipping(tx))["name"]
    held = own or decide.TEMPLATES[locale][event]
    sample = {**decide.SAMPLE[locale], "store": shop}
    words = decide.render(told if told and not problem else held, sample)
    events = [(key, visit.language.gettext(name)) for key, name in policy_words.MAIL_EVENT.items()]
    return visit.render(
        "settings_mail_words.html", status=400 if problem else 200, event=event, chosen=locale, own=own is not None,
        told=told or held, problem=problem, letter=words, fields=decide.FIELDS, events=events,
        looked_at=told is not None and problem is None, settings=settings_words, base=HOME, locales=decide.LOCALES,
    )  # fmt: skip


async def save(visit: Visit) -> web.Response:
    """Keep a seller's own words, show how they would read, or go back to the hub's."""
    event, locale = _chosen(visit.form.get("event"), visit.form.get("to"))
    back = f"{HOME}?evento={event}&para={locale}"
    if visit.form.get("reset") == "yes":
        await mails.set_template(visit.rt, visit.seller_id, event, locale, None)
        visit.say("ok", N_("De volta ao texto que vem com o hub."))
        return visit.go(back)
    told = decide.template(visit.form.get("subject", ""), visit.form.get("body", ""))
    if found := decide.problem_with(told):
        field = found.partition(":")[0]
        return await _show(visit, event, locale, told, (field, visit.language.gettext(BAD[field])))
    if visit.form.get("look") == "yes":
        return await _show(visit, event, locale, told)
    try:
        await mails.set_template(visit.rt, visit.seller_id, event, locale, told)
    except Refused as refusal:
        return await _show(visit, event, locale, told, ("body", str(refusal)))
    visit.say("ok", N_("Guardado: vale a partir do próximo e-mail."))
    return visit.go(back)
