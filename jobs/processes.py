"""Alerts kept moving: handed to stand-ins, escalated, woken; and what people do with them, each with its history."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hub import duty, playbooks
from hub.context import working_for
from hub.store import Tx, processes, standing, stock
from jobs.connect import Refused
from jobs.runtime import Runtime, log

BATCH = 200
LONGEST_NOTE = 2000
LONGEST_SNOOZE = timedelta(days=90)
LONGEST_ABSENCE = timedelta(days=370)


STANDS = "what it tells of still stands: mend that, put the alert off until a day, or give it to somebody else"


class ProcessRefused(Refused):
    """A refusal that pages tell in their reader's language: `kind`, and what its sentence names."""

    def __init__(self, kind: str, sentence: str, **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params


async def turn(rt: Runtime) -> int:
    """Look at what is due, some of every seller's. Answers how many alerts were looked at."""
    async with rt.db.dispatch() as tx:
        sellers = await processes.due_sellers(tx, rt.now())
    return sum([await _soon(rt, seller_id) for seller_id in sellers])


async def _soon(rt: Runtime, seller_id: UUID) -> int:
    """Look at one seller's now; what fails is looked at by the next sweep."""
    with working_for(seller_id):
        try:
            return await _look(rt, seller_id)
        except Exception:  # noqa: BLE001 - the sweep's boundary: one seller's trouble is not another's
            log.exception("alerts not looked at")
            return 0


async def _look(rt: Runtime, seller_id: UUID) -> int:
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        await processes.begin_absences(tx, now)
        away = processes.read(await processes.absences(tx, now))
        members = {row["user_id"] for row in await processes.staff(tx)}
        due = await processes.due(tx, now, BATCH)
        for alert_id, alert in due:
            await processes.looked_at(tx, alert_id, duty.look(alert, away, members, now), now)
    return len(due)


# ── what people do ──────────────────────────────────────────────────────────────────────────────────────────


async def _open(tx: Tx, alert_id: UUID) -> dict[str, Any]:
    """An open alert, locked."""
    alert = await processes.lock(tx, alert_id)
    if alert is None:
        raise ProcessRefused("unknown", "there is no such alert")
    if alert["resolved_at"] is not None:
        raise ProcessRefused("closed", "the alert is closed already: reopen it first")
    return alert


async def take(rt: Runtime, seller_id: UUID, alert_id: UUID, user_id: UUID, *, over: bool = False) -> None:
    """It is mine from now on. Refused where somebody else said so before, unless `over`."""
    async with rt.db.seller(seller_id) as tx:
        alert = await _open(tx, alert_id)
        if alert["owner_id"] == user_id and alert["taken_at"]:
            return
        if alert["taken_at"] and alert["owner_id"] not in (None, user_id) and not over:
            raise ProcessRefused("taken", f"{alert['owner']} took it already: take it over", name=alert["owner"])
        await processes.give(tx, alert_id, user_id, alert["owner_role"], rt.now())
        if alert["snoozed_until"]:
            await processes.snooze(tx, alert_id, None)
        await processes.event(tx, alert_id, "taken", user_id, rt.now(), **_from(alert))


def _from(alert: Mapping[str, Any]) -> dict[str, object]:
    return {"from": alert["owner_id"]} if alert["owner_id"] else {}


async def assign(rt: Runtime, seller_id: UUID, alert_id: UUID, by: UUID | None, to: UUID | str) -> None:
    """Give it to a person of the seller's staff, or to a role; who is away is stood in for at once."""
    async with rt.db.seller(seller_id) as tx:
        alert = await _open(tx, alert_id)
        if isinstance(to, str) and to not in playbooks.ROLES:
            raise ProcessRefused("role", f"{to!r} is no role that owns alerts: {', '.join(playbooks.ROLES)}")
        owner = await _staff(tx, to) if isinstance(to, UUID) else None
        await processes.give(tx, alert_id, owner, to if isinstance(to, str) else alert["owner_role"], None)
        told: dict[str, object] = {"to": owner} if owner else {"role": to}
        await processes.event(tx, alert_id, "assigned", by, rt.now(), **told, **_from(alert))
    await _soon(rt, seller_id)


async def _staff(tx: Tx, user_id: UUID, field: str = "owner") -> UUID:
    if user_id not in {row["user_id"] for row in await processes.staff(tx)}:
        raise ProcessRefused("person", f"{field}: that person does not work alerts of this seller", field=field)
    return user_id


async def tick(
    rt: Runtime, seller_id: UUID, alert_id: UUID, user_id: UUID | None, step: str, words: str, *, on: bool
) -> None:  # fmt: skip
    """A step is done, or not after all. `words`: what it said, for the history; playbooks change."""
    async with rt.db.seller(seller_id) as tx:
        alert = await _open(tx, alert_id)
        if (step in alert["ticked"]) == on:
            return
        await processes.tick(tx, alert_id, step, on=on)
        await processes.event(tx, alert_id, "ticked" if on else "unticked", user_id, rt.now(), step=words)


async def snooze(rt: Runtime, seller_id: UUID, alert_id: UUID, user_id: UUID | None, until: datetime | None) -> None:
    """Put it off; None: back at once. Until then it is not escalated; getting worse wakes it."""
    now = rt.now()
    if until is not None and not now < until <= now + LONGEST_SNOOZE:
        raise ProcessRefused("snooze", f"until: give a day within the next {LONGEST_SNOOZE.days}")
    async with rt.db.seller(seller_id) as tx:
        await _open(tx, alert_id)
        await processes.snooze(tx, alert_id, until)
        told: dict[str, object] = {"until": until} if until else {}
        await processes.event(tx, alert_id, "snoozed" if until else "woke", user_id, now, **told)


async def note(rt: Runtime, seller_id: UUID, alert_id: UUID, user_id: UUID | None, words: str) -> None:
    """Something to remember about it. No `user_id`: a program says so."""
    async with rt.db.seller(seller_id) as tx:
        if await processes.lock(tx, alert_id) is None:
            raise ProcessRefused("unknown", "there is no such alert")
        await processes.event(tx, alert_id, "noted", user_id, rt.now(), note=_said(words))


def _said(words: str) -> str:
    told = words.strip()
    if not told:
        raise ProcessRefused("note", "note: say in a few words what was done")
    if len(told) > LONGEST_NOTE:
        raise ProcessRefused("long", f"note: at most {LONGEST_NOTE} characters", most=LONGEST_NOTE)
    return told


async def close(rt: Runtime, seller_id: UUID, alert_id: UUID, user_id: UUID | None, words: str) -> None:
    """It is over, and why. Should its cause come again, it is opened again with all of this.

    Refused while what it tells of still stands, as far as the hub can tell: nothing would open it again.
    """
    told = _said(words)
    async with rt.db.seller(seller_id) as tx:
        alert = await _open(tx, alert_id)
        if await standing.stands(tx, alert["kind"], alert["subject"]):
            raise ProcessRefused("stands", STANDS, alert=alert["kind"])
        await processes.close(tx, alert_id, user_id, told, rt.now())
        await processes.event(tx, alert_id, "closed", user_id, rt.now(), note=told)


async def reopen(rt: Runtime, seller_id: UUID, alert_id: UUID, user_id: UUID | None) -> None:
    """It is not over. Refused where another of its kind is open about the same subject."""
    async with rt.db.seller(seller_id) as tx:
        alert = await processes.lock(tx, alert_id)
        if alert is None:
            raise ProcessRefused("unknown", "there is no such alert")
        if alert["resolved_at"] is None:
            return
        if not await processes.reopen(tx, alert_id):
            raise ProcessRefused("again", "it came again meanwhile and is open: see that one")
        before = {"note": alert["note"]} if alert["note"] else {}
        await processes.event(tx, alert_id, "reopened", user_id, rt.now(), **before)


# ── playbooks and absences ──────────────────────────────────────────────────────────────────────────────────


async def playbook_of(tx: Tx, kind: str) -> dict[str, Any] | None:
    """The seller's own playbook of a kind; None where the hub's holds. Refused for a kind that nobody knows."""
    own = (await processes.playbooks_of(tx)).get(kind)
    if kind not in playbooks.RULES and own is None and kind not in await processes.open_by_kind(tx):
        raise ProcessRefused("unknown", f"there is no kind of alert {kind!r}")
    return own


async def set_playbook(
    rt: Runtime, seller_id: UUID, kind: str, user_id: UUID | None, *, title: str, body: str, owner: UUID | str,
    due_minutes: int | None, escalate: UUID | str | None,
) -> None:  # fmt: skip
    """A seller's own way for a kind of alert. `owner`, `escalate`: a person or a role. Refusals name the field."""
    for field, words, most in (("title", title, playbooks.LONGEST_TITLE), ("body", body, playbooks.LONGEST_BODY)):
        if not words.strip():
            raise ProcessRefused("empty", f"{field}: say something", field=field)
        if len(words) > most:
            raise ProcessRefused("long", f"{field}: at most {most} characters", field=field, most=most)
    if due_minutes is not None and not 0 < due_minutes <= playbooks.MOST_MINUTES:
        raise ProcessRefused("due", f"due: 1 to {playbooks.MOST_MINUTES} minutes", field="due")
    for field, to in (("owner", owner), ("escalate", escalate)):
        if isinstance(to, str) and to not in playbooks.ROLES:
            raise ProcessRefused("role", f"{field}: {to!r} is none of {', '.join(playbooks.ROLES)}", field=field)
    async with rt.db.seller(seller_id) as tx:
        for field, to in (("owner", owner), ("escalate", escalate)):
            if isinstance(to, UUID):
                await _staff(tx, to, field)
        told = {
            "title": title.strip(), "body": body.strip(), "due_minutes": due_minutes,
            "owner_id": owner if isinstance(owner, UUID) else None,
            "owner_role": owner if isinstance(owner, str) else playbooks.rule(kind).owner_role,
            "escalate_id": escalate if isinstance(escalate, UUID) else None,
            "escalate_role": escalate if isinstance(escalate, str) else "owner" if escalate else None,
        }  # fmt: skip
        await processes.put_playbook(tx, kind, told, user_id)
        await stock.audit(tx, "playbook_set", kind, **{name: told[name] for name in told if name != "body"})


async def reset_playbook(rt: Runtime, seller_id: UUID, kind: str) -> bool:
    """Back to the hub's own; False where the seller had none."""
    async with rt.db.seller(seller_id) as tx:
        gone = await processes.drop_playbook(tx, kind)
        if gone:
            await stock.audit(tx, "playbook_reset", kind)
    return gone


async def add_absence(
    rt: Runtime, seller_id: UUID, user_id: UUID, from_at: datetime, until_at: datetime, stand_in: UUID, by: UUID | None
) -> UUID:
    """Somebody will be away. What they have open, and what comes for them meanwhile, goes to who stands in."""
    now = rt.now()
    if from_at >= until_at:
        raise ProcessRefused("order", "until: give a day from the first day of the absence on", field="until")
    if until_at <= now or until_at - from_at > LONGEST_ABSENCE:
        raise ProcessRefused("days", f"until: not past, and at most {LONGEST_ABSENCE.days} days", field="until")
    if user_id == stand_in:
        raise ProcessRefused("self", "stand-in: give somebody else", field="stand_in")
    async with rt.db.seller(seller_id) as tx:
        await _staff(tx, user_id, "who")
        await _staff(tx, stand_in, "stand_in")
        for each in await processes.absences(tx, now):
            if each["user_id"] == user_id and each["from_at"] < until_at and from_at < each["until_at"]:
                raise ProcessRefused("overlap", "these days meet an absence that is there already: end that one first")
        made = await processes.add_absence(tx, user_id, from_at, until_at, stand_in, by)
        told = {"user": user_id, "from": from_at, "until": until_at, "stand_in": stand_in}
        await stock.audit(tx, "absence_add", str(made), **told)
    await _soon(rt, seller_id)
    return made


async def end_absence(rt: Runtime, seller_id: UUID, absence_id: UUID, by: UUID | None, *, others: bool) -> None:
    """The person is back, or will not go. `others`: whether anybody's but one's own may be ended."""
    async with rt.db.seller(seller_id) as tx:
        found = next((row for row in await processes.absences(tx, rt.now()) if row["id"] == absence_id), None)
        if found is None:
            raise ProcessRefused("unknown", "there is no such absence, or it is over")
        if found["user_id"] != by and not others:
            raise ProcessRefused("others", "only a manager ends somebody else's absence")
        await processes.drop_absence(tx, absence_id, rt.now())
        await stock.audit(tx, "absence_end", str(absence_id))
