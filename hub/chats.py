"""What chats' incoming webhooks take: addresses, bodies, and what their refusals mean. Pure.

Slack: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (Mattermost and Rocket.Chat take the same).
Discord: docs.discord.com/developers/resources/webhook.
Google Chat: developers.google.com/workspace/chat/quickstart/webhooks.
Teams: an Adaptive Card to a workflow "when a Teams webhook request is received". Telegram: core.telegram.org/bots/api.
"""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from hub.faults import ChannelError, Fault
from hub.model import Reply, Request
from hub.notice_words import Line, Message

TELEGRAM = "https://api.telegram.org"
CHATS = ("slack", "discord", "google_chat", "teams", "telegram")
LONGEST = {"slack": 30_000, "discord": 2000, "google_chat": 4000, "teams": 20_000, "telegram": 4096}  # characters
LONGEST_ADDRESS = 2000
# Whose address it is by its host: the format that it takes.
HOSTS = (
    (re.compile(r"(^|\.)slack\.com$"), "slack"),
    (re.compile(r"(^|\.)discord(app)?\.com$"), "discord"),
    (re.compile(r"^chat\.googleapis\.com$"), "google_chat"),
    (re.compile(r"(^|\.)(webhook\.office\.com|logic\.azure\.com|powerplatform\.com|powerautomate\.com)$"), "teams"),
    (re.compile(r"(^|\.)telegram\.org$"), "telegram"),
)
_TOKEN = re.compile(r"\d{5,20}:[A-Za-z0-9_-]{20,80}")
_CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,40}")
_LITERAL = re.compile(r"[0-9a-f.]*:[0-9a-f:.]+|\d+\.\d+\.\d+\.\d+|localhost", re.IGNORECASE)
_DISCORD = re.compile(r"([\\*_~`|>\[\]()#-])")


def problem_with(format_: str, told: Mapping[str, str]) -> str | None:
    """Why a chat cannot be called by what was typed: `token`, `chat`, `address`, `https` or `other:FORMAT`."""
    if format_ == "telegram":
        if not _TOKEN.fullmatch(told.get("token", "")):
            return "token"
        return None if _CHAT.fullmatch(told.get("chat", "")) else "chat"
    url = told.get("url", "")
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
    except ValueError:
        return "address"
    if len(url) > LONGEST_ADDRESS or not url.isascii() or not url.isprintable() or " " in url or parts.username:
        return "address"
    if parts.scheme not in ("http", "https") or not host:
        return "address"
    if parts.scheme == "http" and not _LITERAL.fullmatch(host):
        return "https"  # a key in the clear; an address of one's own network is the gate's to admit
    known = next((name for pattern, name in HOSTS if pattern.search(host)), None)
    return f"other:{known}" if known not in (None, format_) else None


def base_of(format_: str, told: Mapping[str, str]) -> str:
    """Scheme, host and port that messages go to."""
    if format_ == "telegram":
        return TELEGRAM
    parts = urlsplit(told["url"])
    return f"{parts.scheme}://{parts.netloc}"


def request_of(format_: str, told: Mapping[str, str], message: Message) -> Request:
    """The call that says it."""
    body = BODIES[format_](message)
    if format_ == "telegram":
        return Request(method="POST", path=f"/bot{told['token']}/sendMessage", json={"chat_id": told["chat"], **body})
    parts = urlsplit(told["url"])
    return Request(method="POST", path=f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}", json=body)


def secrets(told: Mapping[str, str]) -> set[str]:
    """What must not be repeated from the other side's words."""
    parts = urlsplit(told.get("url", ""))
    words = {told.get("token", ""), told.get("url", ""), parts.path, parts.query, *parts.path.split("/")}
    return {word for word in words if len(word) >= 8}  # noqa: PLR2004 - shorter pieces are words, not keys


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────


def plain(message: Message) -> str:
    """The message as text alone, for e-mail and for chats without markup."""
    lines = [message.headline, ""]
    for each in (*message.lines, *([message.more] if message.more else [])):
        lines.append(f"• {each.text}" if each.url else each.text)
        lines += [f"  {each.url}"] if each.url else []
    return "\n".join(lines + (["", message.why] if message.why else [])) + "\n"


def _fitting(message: Message, longest: int, head: str, spelt: Any) -> str:
    """Head and as many whole lines as fit; the last one leads to the rest."""
    last = [spelt(message.more)] if message.more else []
    text, left = [head[: longest // 2]], longest - min(len(head), longest // 2) - sum(len(each) + 1 for each in last)
    for each in message.lines:
        said = spelt(each)
        if len(said) + 1 > left:
            text.append("…")
            break
        text.append(said)
        left -= len(said) + 1
    return "\n".join(text + last)


def _slack(message: Message) -> dict[str, Any]:
    def safe(told: str) -> str:  # <!channel> and <@U1> would call people
        return told.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")

    def spelt(each: Line) -> str:
        return f"• <{each.url}|{safe(each.text).replace('|', '¦')}>" if each.url else safe(each.text)

    head = f"*{safe(message.headline).replace('*', '')}*"
    return {"text": _fitting(message, LONGEST["slack"], head, spelt), "unfurl_links": False}


def _discord(message: Message) -> dict[str, Any]:
    def safe(told: str) -> str:
        return _DISCORD.sub(r"\\\1", told)

    def spelt(each: Line) -> str:
        return f"- {safe(each.text)}\n  <{each.url}>" if each.url else safe(each.text)

    told = _fitting(message, LONGEST["discord"] - 10, f"**{safe(message.headline)}**", spelt)
    return {"content": told, "allowed_mentions": {"parse": []}}


def _google_chat(message: Message) -> dict[str, Any]:
    def safe(told: str) -> str:  # <users/all> would call people
        return told.replace("<", "‹").replace(">", "›")

    def spelt(each: Line) -> str:
        return f"• <{each.url}|{safe(each.text).replace('|', '¦')}>" if each.url else safe(each.text)

    return {"text": _fitting(message, LONGEST["google_chat"], f"*{safe(message.headline).replace('*', '')}*", spelt)}


def _teams(message: Message) -> dict[str, Any]:
    def run(each: Line) -> dict[str, Any]:  # a TextRun is no Markdown
        link = {"selectAction": {"type": "Action.OpenUrl", "url": each.url}} if each.url else {}
        text: dict[str, Any] = {"type": "TextRun", "text": each.text, **link}
        return {"type": "RichTextBlock", "inlines": [text], "spacing": "Small"}

    rows = [*message.lines, *([message.more] if message.more else [])]
    head = {"type": "TextRun", "text": message.headline, "weight": "Bolder"}
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"},
        "body": [{"type": "RichTextBlock", "inlines": [head]}, *(run(each) for each in rows)],
    }  # fmt: skip
    content = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [content]}


def _telegram(message: Message) -> dict[str, Any]:
    def spelt(each: Line) -> str:
        return f"• {each.text}\n{each.url}" if each.url else each.text

    text = _fitting(message, LONGEST["telegram"], message.headline, spelt)  # no parse_mode: nothing is markup
    return {"text": text, "link_preview_options": {"is_disabled": True}}


BODIES = {
    "slack": _slack, "discord": _discord, "google_chat": _google_chat, "teams": _teams, "telegram": _telegram,
}  # fmt: skip


# ── answers ─────────────────────────────────────────────────────────────────────────────────────────────────

FOR_GOOD = frozenset({"gone", "refused_key", "private_address", "bad_address", "no_webhook"})


def read_error(reply: Reply) -> str | None:
    """A page where a webhook should be: somebody pasted the address of a channel."""
    kind = reply.headers.get("content-type", "")
    return "no_webhook" if reply.status < 400 and kind.startswith("text/html") else None  # noqa: PLR2004 - successes


def reason_of(problem: ChannelError) -> str:
    """What a failed call means to a person: one of the page's reasons."""
    if problem.code in ("private_address", "bad_address", "no_webhook", "timeout", "connect", "too_large"):
        return problem.code
    if problem.fault is Fault.MISSING:
        return "gone"
    if problem.fault is Fault.AUTH:
        return "refused_key"
    if problem.fault is Fault.THROTTLED:
        return "throttled"
    return "server" if problem.fault is Fault.TRANSIENT else "refused"
