"""Knocks as channels send them: signed, with true headers, at the address of an account or an application."""

import base64
import hashlib
import hmac
import json
from typing import Any

import aiohttp

from jobs.poll import webhook_url
from tests.world import Channel, World


async def address(w: World, channel: Channel) -> str:
    """Where this channel knocks."""
    return await webhook_url(w.rt, channel.account)


async def store_knock(w: World, channel: Channel, topic: str, body: bytes, **headers: str) -> dict[str, Any]:
    """Arguments of the POST that a WooCommerce store would make."""
    secret = await w.rt.hook_secret(channel.account.seller_id, channel.account.id)
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    told = {
        "Content-Type": "application/json",
        "X-WC-Webhook-Topic": topic,
        "X-WC-Webhook-Signature": signature,
        "X-WC-Webhook-Source": "http://127.0.0.1/",
        **headers,
    }
    return {"url": await address(w, channel), "data": body, "headers": told}


async def tell(w: World, channel: Channel, topic: str, document: Any) -> int:
    """A store tells one document. Answers the status."""
    async with aiohttp.ClientSession() as session:
        knock = await store_knock(w, channel, topic, json.dumps(document).encode())
        async with session.post(**knock) as answer:
            return answer.status
