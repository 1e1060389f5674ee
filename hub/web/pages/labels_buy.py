"""Labels bought: first what, for how much and what is left out, then, once a person said so, at just that price."""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID

from aiohttp import web

from hub.freight import why
from hub.store import unbuyable
from hub.web.edge import Problem, Visit
from hub.web.i18n import N_
from hub.web.pages.labels import AT_ONCE, few, home, ids_of, said
from jobs import freight_buy
from jobs.freight import FreightRefused
from jobs.freight_checks import INSISTS, SECOND, SHORT
from jobs.freight_plan import plan, totals

CENTS = 12  # digits of a price that a form may name


async def look(visit: Visit) -> web.Response:
    """What would be bought for the chosen orders, each of the offer chosen with it; what has no fresh quote is quoted.

    One order alone is shown with what speaks against it, for a person to insist or not.
    """
    ids = ids_of(visit, "o:")
    if not few(visit, ids):
        return visit.go(home(visit))
    alone = len(ids) == 1
    chosen = {id_: offer for id_ in ids if (offer := _chosen(visit, id_))}
    planned = await plan(
        visit.rt, visit.seller_id, ids, chosen=chosen, insists=(SECOND, SHORT) if alone else (), at_once=AT_ONCE
    )
    going = [each for each in planned if each.offer]
    async with visit.tx() as tx:
        holds = await unbuyable.contents(tx, [each.order_id for each in going])
    tag = visit.language.tag
    left_out = [(each.order_id, each.refusal.told(tag)) for each in planned if each.refusal]
    told = [(each.quoted, each.offer) for each in going if each.quoted and each.offer]
    return visit.render(
        "labels_buy.html", left_out=left_out, totals=totals(planned), back=home(visit),
        against=[(INSISTS[each.kind], each.told(tag)) for one in going for each in one.against],
        going=[
            {
                "id": quoted.consignment.order["id"], "number": quoted.consignment.number, "offer": offer,
                "to": quoted.consignment.order["told"].get("ship_to") or {},
                "deliver_by": quoted.consignment.order["deliver_by"], "volumes": len(quoted.consignment.parcels),
                "holds": holds.get(quoted.consignment.order["id"], ()),
                "why": None if quoted.consignment.order["id"] in chosen else why(quoted.choice(), tag),
            }
            for quoted, offer in told
        ],
    )  # fmt: skip


def _chosen(visit: Visit, id_: UUID) -> tuple[UUID, str] | None:
    """The offer chosen with an order: account and service; None where none was. Problem(400) for what is no offer."""
    account, _, service = visit.form.get(f"f:{id_}", "").partition("~")
    try:
        return (UUID(account), service) if account else None
    except ValueError:
        raise Problem(400) from None


@dataclass(slots=True)
class _Done:
    """What came of the purchases."""

    bought: int = 0
    had: int = 0
    refusals: list[str] = field(default_factory=list)


async def buy(visit: Visit) -> web.Response:
    """Buy what was shown, at the price shown. Sent twice it buys nothing twice."""
    ids = ids_of(visit, "o:")
    if not few(visit, ids):
        return visit.go(home(visit))
    insists = {word for word in (SECOND, SHORT) if visit.form.get(word) == "yes"} if len(ids) == 1 else set()
    gate, done = asyncio.Semaphore(AT_ONCE), _Done()

    async def one(order_id: UUID, offer: tuple[UUID, str], cents: int) -> None:
        async with gate:
            try:
                told = await freight_buy.buy(
                    visit.rt, visit.seller_id, order_id, account_id=offer[0], service=offer[1], seen_cents=cents,
                    insists=insists,
                )  # fmt: skip
            except FreightRefused as refusal:
                done.refusals.append(refusal.told(visit.language.tag) + ".")
                return
        done.refusals += [f"{each['number']}: {each['error']}." for each in told.labels if each["status"] == "refused"]
        there = sum(each["status"] == "bought" for each in told.labels)
        if told.again:
            done.had += there
        else:
            done.bought += there

    await asyncio.gather(*(one(id_, *_shown(visit, id_)) for id_ in ids))
    if done.had:
        had = visit.language.gettext(N_("Já estavam compradas, e não foram de novo: %(count)s."), count=done.had)
        done.refusals.insert(0, had)
    said(visit, N_("Etiquetas compradas: %(count)s."), done.bought, done.refusals)
    return visit.go(home(visit))


def _shown(visit: Visit, id_: UUID) -> tuple[tuple[UUID, str], int]:
    """The offer and the price that a person saw. Problem(400) where the form does not name them."""
    offer, cents = _chosen(visit, id_), visit.form.get(f"c:{id_}", "")
    if offer is None or not (cents.isascii() and cents.isdigit() and len(cents) <= CENTS):
        raise Problem(400)
    return offer, int(cents)
