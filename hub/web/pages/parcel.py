"""A parcel's page for its buyer: where it is, and nothing about anybody. No session, no script, nothing to index."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import aiohttp_jinja2
import psycopg
from aiohttp import web

from hub import deadlines, parcel_link
from hub.context import working_for
from hub.model import TrackingStatus
from hub.store import StoreError
from hub.store import deadlines as stored
from hub.web import edge, i18n, words
from hub.web.auth import address_of
from hub.web.i18n import N_, Language
from hub.web.keys import RUNTIME
from jobs.runtime import Runtime, log

WINDOW, MOST, MOST_ADDRESSES = timedelta(minutes=1), 30, 20_000
HEADERS = {
    **edge.HEADERS,
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address is the key
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}

S = TrackingStatus
# What a buyer reads, in the buyer's words; a scan that is not here is not shown.
TOLD: dict[str, str] = {
    S.LABEL_CREATED: N_("Etiqueta emitida: o vendedor prepara o envio"),
    S.ACCEPTED: N_("Postado"),
    S.IN_TRANSIT: N_("Em trânsito"),
    S.CUSTOMS: N_("Na alfândega"),
    S.OUT_FOR_DELIVERY: N_("Saiu para entrega"),
    S.AWAITING_PICKUP: N_("Disponível para retirada"),
    S.FAILED_ATTEMPT: N_("Tentativa de entrega sem sucesso"),
    S.EXCEPTION: N_("Imprevisto no transporte"),
    S.DAMAGED: N_("Avaria: fale com o vendedor"),
    S.LOST: N_("Extravio: fale com o vendedor"),
    S.RETURNING: N_("Voltando ao vendedor"),
    S.RETURNED: N_("Devolvido ao vendedor"),
    S.DELIVERED: N_("Entregue"),
    S.CANCELLED: N_("Envio cancelado"),
}
WAITING = N_("Aguardando a primeira leitura da transportadora")
STEPS = (N_("Postado"), N_("Em trânsito"), N_("Saiu para entrega"), N_("Entregue"))
_STEP: dict[str | None, int] = {
    S.ACCEPTED: 1, S.IN_TRANSIT: 2, S.CUSTOMS: 2, S.FAILED_ATTEMPT: 3, S.OUT_FOR_DELIVERY: 3, S.AWAITING_PICKUP: 3,
    S.DELIVERED: 4,
}  # fmt: skip
_NO_STEPS = frozenset({S.RETURNING, S.RETURNED, S.LOST, S.DAMAGED, S.CANCELLED})
LONGEST_PLACE = 60

# status -> (title, sentence)
PROBLEMS: dict[int, tuple[str, str]] = {
    404: (N_("Link não encontrado"), N_("Confira se o endereço veio inteiro, ou fale com o vendedor.")),
    410: (N_("Este link expirou"), N_("A entrega terminou há algum tempo. Para saber mais, fale com o vendedor.")),
    429: (N_("Muitas consultas"), N_("Espere um minuto antes de tentar de novo.")),
    503: (N_("Fora do ar por um instante"), N_("Tente de novo em alguns minutos.")),
}


@dataclass(slots=True)
class Turnstile:
    """How often each address looked in the last minute, in this process."""

    _seen: dict[str, deque[datetime]] = field(default_factory=dict)

    def lets(self, address: str, now: datetime) -> bool:
        """Whether it may look once more."""
        if len(self._seen) > MOST_ADDRESSES:
            self._seen = {key: kept for key, kept in self._seen.items() if kept and now - kept[-1] <= WINDOW}
        kept = self._seen.setdefault(address, deque(maxlen=MOST))
        if len(kept) == MOST and now - kept[0] <= WINDOW:
            return False
        kept.append(now)
        return True


TURNSTILE: web.AppKey[Turnstile] = web.AppKey("turnstile", Turnstile)


class _No(Exception):
    """No page, and why: one of PROBLEMS."""


async def show(request: web.Request) -> web.Response:
    """/r/{token}."""
    rt = request.app[RUNTIME]
    wanted = request.query.get("idioma") or i18n.preferred(request.headers.get("Accept-Language", ""))
    language = Language(i18n.known(wanted))
    if not request.app[TURNSTILE].lets(address_of(request), rt.now()):
        return _problem(request, language, 429)
    try:
        told = await _read(rt, request.match_info["token"])
    except _No as no:
        return _problem(request, language, int(no.args[0]))
    except (StoreError, psycopg.OperationalError, TimeoutError) as trouble:
        log.warning("buyer's page without a database", reason=type(trouble).__name__)
        return _problem(request, language, 503)
    return _page(request, language, "parcel.html", 200, **_shown(told))


async def _read(rt: Runtime, token: str) -> dict[str, Any]:
    """What is known of the parcel; _No for a link that is none, leads to nothing, or is over."""
    ids = parcel_link.read(rt.vault, token)
    if ids is None:
        raise _No(404)
    seller_id, shipment_id = ids
    with working_for(seller_id):
        async with asyncio.timeout(10), rt.db.seller(seller_id) as tx:
            told = await stored.page_of(tx, shipment_id)
            if told is None:
                raise _No(404)
            shipping = await stored.shipping(tx)
    rules = deadlines.rules_of(shipping)
    if told["ended_at"] and rt.now() - told["ended_at"] > timedelta(days=rules.link_days):
        raise _No(410)
    return {**told, "store": shipping["name"]}


def _shown(told: Mapping[str, Any]) -> dict[str, Any]:
    status = told["status"]
    scans = [
        {**scan, "words": TOLD[scan["status"]], "where": where(scan["place"], scan["state"])}
        for scan in told["scans"]
        if scan["status"] in TOLD
    ]
    until = None
    if status == S.AWAITING_PICKUP and told["scans"]:
        newest = told["scans"][0]
        until = deadlines.day_in(newest["description"], newest["at"])
    return {
        "store": told["store"], "carrier": told["carrier"], "code": told["tracking_code"], "scans": scans,
        "headline": TOLD.get(status, WAITING), "tone": words.PARCEL.get(status, words.PARCEL[None])[0],
        "steps": () if status in _NO_STEPS else STEPS, "step": _STEP.get(status, 0), "until": until,
        "deliver_by": None if status in _NO_STEPS | {S.DELIVERED} else told["deliver_by"],
        "destination": where(told["city"], told["uf"]),
    }  # fmt: skip


def where(city: str | None, state: str | None) -> str | None:
    """A city and its state; what holds a number may be a street or a door, and is left out."""
    good = city and len(city) <= LONGEST_PLACE and not any(letter.isdigit() for letter in city)
    return ", ".join(filter(None, [city if good else None, state])) or None


def _problem(request: web.Request, language: Language, status: int) -> web.Response:
    title, sentence = PROBLEMS[status]
    answer = _page(request, language, "parcel_problem.html", status, title=title, sentence=sentence)
    if status == 429:  # noqa: PLR2004 - Too Many Requests
        answer.headers["Retry-After"] = str(int(WINDOW.total_seconds()))
    return answer


def _page(request: web.Request, language: Language, template: str, status: int, **context: Any) -> web.Response:
    told = {"t": language, "_": language.gettext, "path": request.path, **context}
    body = aiohttp_jinja2.get_env(request.app).get_template(template).render(**told)
    return web.Response(text=body, content_type="text/html", status=status, headers=HEADERS)


def setup(app: web.Application) -> None:
    """Add the page."""
    app[TURNSTILE] = Turnstile()
    app.router.add_get("/r/{token}", show)
