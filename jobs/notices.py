"""People told of alerts: news spread over their ways, gathered into few messages, each sent at most once."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, formataddr
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from hub import chats, deadlines, duty, notice_words
from hub import notices as decide
from hub.buyer_mail import not_before, quiet_of
from hub.context import working_for
from hub.faults import ChannelError, Fault
from hub.notice_words import Message
from hub.notices import News, Way
from hub.redaction import redact
from hub.secrets import SecretsError
from hub.smtp import InDoubt, Unreachable, line
from hub.smtp import Refused as MailRefused
from hub.store import Tx, alerts, notices, processes, stock
from hub.store import deadlines as stored
from jobs.connect import Refused
from jobs.runtime import Runtime, log

BATCH = 200
AT_ONCE = 8
ANSWER = 300  # characters of the other side's words that are kept
DOWN = "notice_down"  # alert
KEPT = timedelta(days=30)
TEST_PAUSE = timedelta(seconds=10)
MOST_FAILURES = 8


class NoticeRefused(Refused):
    """A refusal that pages tell in their reader's language: `kind`, and what its sentence names."""

    def __init__(self, kind: str, sentence: str, **params: object) -> None:
        super().__init__(sentence)
        self.kind, self.params = kind, params


class _Failed(Exception):
    """A message that did not get there (or may have: `in_doubt`), with the reason that pages tell."""

    def __init__(
        self, reason: str, said: str, *, for_good: bool = False, in_doubt: bool = False, at: datetime | None = None
    ) -> None:
        super().__init__(f"{reason}: {said}"[:ANSWER])
        self.reason, self.for_good, self.in_doubt, self.at = reason, for_good, in_doubt, at


# ── news, spread over the ways ──────────────────────────────────────────────────────────────────────────────


async def spread(rt: Runtime) -> int:
    """Have the news of alerts told to whoever wants it. Answers how many notices are new."""
    async with rt.db.dispatch() as tx:
        sellers = await notices.sellers_with_news(tx)
    count = 0
    for seller_id in sellers:
        with working_for(seller_id):
            try:
                async with rt.db.seller(seller_id) as tx:
                    count += await _spread(tx, rt.now())
            except Exception:  # noqa: BLE001 - the worker's boundary: one seller's trouble is not another's
                log.exception("news not spread")
    return count


async def _spread(tx: Tx, now: datetime) -> int:
    rows = await notices.take_news(tx, BATCH)
    ways = [(_way(row), row["id"]) for row in await notices.every(tx)] if rows else []
    away = processes.read(await processes.absences(tx, now)) if ways else []
    members = {row["user_id"] for row in await processes.staff(tx)} if ways else set()
    gone = {a.user_id for a in away if a.from_at <= now < a.until_at}
    count = 0
    for row in rows:
        owner = duty.present(row["owner_id"], away, members, now) if row["owner_id"] else None
        news = News(
            kind=row["kind"], severity=row["severity"], occasion=row["occasion"], owner_id=owner,
            owner_role=row["owner_role"], by=row["user_id"],
        )  # fmt: skip
        due_at = decide.due(row["severity"], now)
        for way, id_ in ways:
            if decide.wants(way, news, away=way.user_id in gone):
                count += await notices.want(tx, id_, row, now, due_at, now - decide.SAME)
    return count


def _way(row: dict[str, Any]) -> Way:
    kinds = None if row["kinds"] is None else tuple(row["kinds"])
    return Way(
        id=row["id"], user_id=row["user_id"], role=row["role"], least=row["least"], scope=row["scope"], kinds=kinds,
        handed=row["handed"],
    )  # fmt: skip


# ── what leaves ─────────────────────────────────────────────────────────────────────────────────────────────


async def deliver(rt: Runtime, stop: asyncio.Event | None = None) -> int:
    """Send what is due through each way, some of every seller's. Answers how many messages left or tried to."""
    async with rt.db.dispatch() as tx:
        sellers = await notices.due_sellers(tx, rt.now())
    count = 0
    for seller_id in sellers:
        if stop is not None and stop.is_set():
            break
        with working_for(seller_id):
            try:
                count += await _seller(rt, seller_id)
            except Exception:  # noqa: BLE001 - the worker's boundary: one seller's trouble is not another's
                log.exception("notices not sent")
    return count


async def _seller(rt: Runtime, seller_id: UUID) -> int:
    token, now = uuid4(), rt.now()
    async with rt.db.seller(seller_id) as tx:
        ways = await notices.claim(tx, token, now, AT_ONCE)
        zone = deadlines.zone_of((await stored.shipping(tx))["state"])
        away = processes.read(await processes.absences(tx, now))
    gone = {a.user_id for a in away if a.from_at <= now < a.until_at}
    looks = [_look(rt, seller_id, token, way, zone, way["user_id"] in gone) for way in ways]
    count = 0
    for found in await asyncio.gather(*looks, return_exceptions=True):
        if isinstance(found, BaseException):
            raise found
        count += found
    return count


async def _look(rt: Runtime, seller_id: UUID, token: UUID, way: dict[str, Any], zone: ZoneInfo, gone: bool) -> int:  # noqa: FBT001 - one of its facts
    """Send what a way has to say now. Answers how many messages that was."""
    now, count = rt.now(), 0
    when: list[datetime | None] = []
    if not gone and not way["disabled"] and way["off_at"] is None and way["role"] in decide.ROLES:
        message, at = await _alerts(rt, seller_id, way, zone)
        when.append(at)
        if message is not None:
            count += 1
            await _send(rt, seller_id, way, *message)
        is_due, at = decide.digest_due(way["digest_at"], way["digest_on"], zone, now)
        if is_due:
            count += 1
            at = await _digest(rt, seller_id, way, zone)
        when.append(at)
    else:
        when.append(now + timedelta(hours=1) if gone else None)  # until they are back
        async with rt.db.seller(seller_id) as tx:
            await notices.skip(tx, way["id"])
    # Not after an error: its lease runs out, and a message that was leaving is in doubt then.
    async with rt.db.seller(seller_id) as tx:
        await notices.let_go(tx, token, way["id"], min(filter(None, when), default=None))
    return count


async def _alerts(
    rt: Runtime, seller_id: UUID, way: dict[str, Any], zone: ZoneInfo
) -> tuple[tuple[UUID, Message] | None, datetime | None]:
    """The message about what is due, noted as leaving; and when to look again. None: nothing leaves now."""
    now = rt.now()
    async with rt.db.seller(seller_id) as tx:
        rows = await notices.waiting(tx, way["id"], now, BATCH)
        quiet = quiet_of(way["quiet"]) if way["quiet"] else None
        free = not_before(now, quiet, zone)
        found = decide.plan([row["severity"] for row in rows], way["sent_at"], free if free > now else None, now)
        leaving = [rows[place] for place in found.now]
        if waits := [row for place, row in enumerate(rows) if place not in found.now]:
            await notices.put_off(tx, way["id"], waits, found.until or now + decide.APART)
        if not leaving:
            return None, found.until
        named = {row["id"]: row for row in sorted(leaving, key=lambda row: row["occasion"] in decide.HANDED)}
        told = [named[id_] for id_ in dict.fromkeys(row["id"] for row in leaving)]  # each once: what is handed wins
        message = notice_words.of_alerts(told, way["store"], way["locale"], zone, now, _base(rt))
        made = await notices.leaving(tx, way["id"], "alerts", message.headline, leaving, now)
    return (made, message), found.until


def _base(rt: Runtime) -> str | None:
    return (rt.policy.public_url or "").rstrip("/") or None


async def _digest(rt: Runtime, seller_id: UUID, way: dict[str, Any], zone: ZoneInfo) -> datetime | None:
    """The morning's summary, where there is anything to tell. Answers when the next one is, or this one again."""
    now = rt.now()
    today = now.astimezone(zone).date()
    until = datetime.combine(today + timedelta(days=1), datetime.min.time(), zone)
    async with rt.db.seller(seller_id) as tx:
        rows, counts = await notices.for_today(
            tx, way["user_id"], way["role"], way["scope"], now, until, decide.LISTED
        )  # fmt: skip
        await notices.digest_told(tx, way["id"], today)
        tomorrow = decide.digest_due(way["digest_at"], today, zone, now)[1]
        if not rows:
            return tomorrow
        message = notice_words.of_morning(rows, counts, way["store"], way["locale"], zone, now, until, _base(rt))
        made = await notices.leaving(tx, way["id"], "digest", message.headline, [], now)
    problem = await _send(rt, seller_id, way, made, message)
    if problem is None or problem.in_doubt:
        return tomorrow
    async with rt.db.seller(seller_id) as tx:
        await notices.digest_told(tx, way["id"], None)
    return decide.again_at(now, way["failures"] + 1)


async def _send(
    rt: Runtime, seller_id: UUID, way: dict[str, Any], message_id: UUID, message: Message
) -> "_Failed | None":
    """Send a message that is noted as leaving, and note what came of it. Answers what went wrong."""
    try:
        answer = await (_mail if way["format"] == "email" else _chat)(rt, way, message_id, message)
    except _Failed as problem:
        now = rt.now()
        async with rt.db.seller(seller_id) as tx:
            if problem.in_doubt:
                await notices.settle(tx, way["id"], message_id, "doubt", str(problem))
                return problem
            again = problem.at or decide.again_at(now, way["failures"] + 1)
            give_up = problem.for_good or way["failures"] + 1 >= MOST_FAILURES
            await notices.settle(
                tx, way["id"], message_id, "failed", str(problem), again_at=None if give_up else again,
                since=now - decide.NEWS_LASTS,
            )  # fmt: skip
            if give_up and way["off_at"] is None:
                await notices.turn(tx, way["id"], now, on=False, reason=problem.reason)
                await alerts.raise_(
                    tx, DOWN, str(way["id"]), name=way["name"], person=way["person"], detail=str(problem)
                )
        log.warning("notice not sent", format=way["format"], reason=problem.reason)
        return problem
    async with rt.db.seller(seller_id) as tx:
        await notices.settle(tx, way["id"], message_id, "sent", answer)
        await alerts.resolve(tx, DOWN, str(way["id"]))
    return None


async def _chat(rt: Runtime, way: dict[str, Any], _message_id: UUID, message: Message) -> str:
    try:
        told = rt.vault.open(bytes(way["sealed"]))
    except SecretsError as problem:
        raise _Failed("sealed", str(problem), for_good=True) from None
    api = rt.http.account(
        channel="notice", account_id=way["id"], base_url=chats.base_of(way["format"], told),
        read_error=chats.read_error, now=rt.now,
    )  # fmt: skip
    try:
        reply = await api.call(chats.request_of(way["format"], told, message))
    except ChannelError as problem:
        reason = chats.reason_of(problem)
        said = redact(f"{problem.status or ''} {problem.detail}".strip(), chats.secrets(told))
        raise _Failed(
            reason, said, for_good=reason in chats.FOR_GOOD,
            in_doubt=problem.status is None and getattr(problem, "in_doubt", False),  # an answer is no doubt
            at=problem.retry_at if problem.fault is Fault.THROTTLED else None,
        ) from None  # fmt: skip
    return str(reply.status)


async def _mail(rt: Runtime, way: dict[str, Any], message_id: UUID, message: Message) -> str:
    server = rt.policy.smtp
    if server is None:
        raise _Failed("no_smtp", "BALCAO_SMTP_URL")
    made = EmailMessage()
    made["From"] = formataddr((" ".join(str(way["store"]).split()), server.address))
    made["To"] = way["email"]
    made["Subject"] = " ".join(message.headline.split())
    made["Date"] = format_datetime(rt.now().astimezone(UTC))
    made["Message-ID"] = f"<{message_id}@{server.address.partition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    made["Content-Language"] = str(way["locale"]).replace("_", "-")
    made.set_content(chats.plain(message))
    try:
        async with line(server) as open_line:
            await open_line.send(made, way["email"], _noted)
    except MailRefused as problem:
        raise _Failed("mail_refused", str(problem), for_good=problem.for_good) from None
    except Unreachable as problem:
        raise _Failed("mail_down", str(problem)) from None
    except InDoubt as problem:
        raise _Failed("mail_doubt", str(problem), in_doubt=True) from None
    return "250"


async def _noted() -> None:
    """It was noted as leaving before the connection was opened."""


async def run(rt: Runtime, stop: asyncio.Event) -> None:
    """Spread news and send what is due; for the sweep, beside everything else."""
    await spread(rt)
    await deliver(rt, stop)


async def prune(rt: Runtime, seller_id: UUID) -> None:
    """Forget what was told long ago."""
    async with rt.db.seller(seller_id) as tx:
        await notices.prune(tx, rt.now() - KEPT)


# ── what a person sets ──────────────────────────────────────────────────────────────────────────────────────


async def add(
    rt: Runtime, seller_id: UUID, user_id: UUID, format_: str, name: str, told: dict[str, str], wishes: dict[str, Any]
) -> UUID:
    """A new way of a person. Refused (NoticeRefused): an address that cannot be one, too many, no mail server."""
    if format_ not in decide.FORMATS:
        raise NoticeRefused("format", f"there is no format {format_!r}", field="format")
    if format_ == "email" and rt.policy.smtp is None:
        raise NoticeRefused("no_smtp", "no e-mail can leave: BALCAO_SMTP_URL is not set", field="format")
    if format_ != "email" and (problem := chats.problem_with(format_, told)):
        kind, _, other = problem.partition(":")
        field = kind if kind in ("token", "chat") else "url"
        raise NoticeRefused(kind, f"{field}: cannot be used ({problem})", field=field, other=other)
    sealed = None if format_ == "email" else rt.vault.seal({"is": "chat", **told})
    async with rt.db.seller(seller_id) as tx:
        if len(await notices.of(tx, user_id)) >= decide.MOST_WAYS:
            raise NoticeRefused("many", f"at most {decide.MOST_WAYS} ways each", most=decide.MOST_WAYS)
        made = await notices.add(tx, user_id, format_, sealed, {**wishes, "name": name}, rt.now())
        if made is None:
            raise NoticeRefused("again", "your e-mail is a way already")
        await stock.audit(tx, "notice_way_add", str(made), format=format_, name=name)
    return made


async def mine(tx: Tx, way_id: UUID, user_id: UUID) -> dict[str, Any]:
    """One of a person's own ways. NoticeRefused for anybody else's."""
    row = await notices.one(tx, way_id, user_id)
    if row is None:
        raise NoticeRefused("unknown", "there is no such way of yours")
    return row


async def change(rt: Runtime, seller_id: UUID, user_id: UUID, way_id: UUID, wishes: dict[str, Any]) -> None:
    """What a person wants through a way."""
    async with rt.db.seller(seller_id) as tx:
        await mine(tx, way_id, user_id)
        await notices.change(tx, way_id, wishes, rt.now())
        await stock.audit(tx, "notice_way_set", str(way_id), **{k: v for k, v in wishes.items() if v is not None})


async def turn(rt: Runtime, seller_id: UUID, user_id: UUID, way_id: UUID, *, on: bool) -> None:
    """Turn a way on or off."""
    async with rt.db.seller(seller_id) as tx:
        await mine(tx, way_id, user_id)
        await notices.turn(tx, way_id, rt.now(), on=on)
        await alerts.resolve(tx, DOWN, str(way_id))
        await stock.audit(tx, "notice_way_on" if on else "notice_way_off", str(way_id))


async def drop(rt: Runtime, seller_id: UUID, user_id: UUID, way_id: UUID) -> str:
    """Take a way away; answers its name."""
    async with rt.db.seller(seller_id) as tx:
        row = await mine(tx, way_id, user_id)
        await notices.drop(tx, way_id)
        await alerts.resolve(tx, DOWN, str(way_id))
        await stock.audit(tx, "notice_way_drop", str(way_id), name=row["name"])
    return str(row["name"])


async def test(rt: Runtime, seller_id: UUID, user_id: UUID, way_id: UUID) -> str | None:
    """Send a message that says that messages arrive; a way that works is on again. Answers why it did not arrive."""
    token, now = uuid4(), rt.now()
    async with rt.db.seller(seller_id) as tx:
        row = await mine(tx, way_id, user_id)
        last = await notices.last_test(tx, way_id)
        if last is not None and now < last + TEST_PAUSE:
            raise NoticeRefused("wait", "one test each ten seconds")
        if not await notices.claim(tx, token, now, 1, way_id):
            raise NoticeRefused("busy", "a message is leaving through it right now")
        message = notice_words.of_test(row["store"], row["locale"], _base(rt))
        made = await notices.leaving(tx, way_id, "test", message.headline, [], now)
    problem = await _send(rt, seller_id, {**row, "failures": 0, "off_at": row["off_at"] or now}, made, message)
    async with rt.db.seller(seller_id) as tx:
        if problem is None and row["off_at"] is not None:
            await notices.turn(tx, way_id, now, on=True)
        await notices.let_go(tx, token, way_id, now)
    return problem.reason if problem else None
