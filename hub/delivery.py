"""One event to one address: a single POST, no redirect followed, the beginning of the answer kept."""

from collections.abc import Mapping

import httpx

from hub.context import refuse_in_transaction
from hub.faults import ChannelError, Fault
from hub.gate import PrivateAddress
from hub.http import CallError, Client
from hub.model import Reply

TIMEOUT = 15.0
BODY_LIMIT = 2**20  # of an answer; what it says beyond that nobody reads


async def post(client: Client, url: str, headers: Mapping[str, str], body: str) -> Reply:
    """What was answered, whatever its status is. A ChannelError for no answer, or for a private address."""
    refuse_in_transaction("an event")
    check(client, url)
    try:
        return await client.exchange(
            "POST", httpx.URL(url), httpx.Headers(dict(headers)), body.encode(), deadline=TIMEOUT,
            body_limit=BODY_LIMIT,
        )  # fmt: skip
    except CallError as problem:
        if problem.status is not None:  # it answered, at such length that the rest was left
            return Reply(status=problem.status, headers={}, body=problem.detail.encode())
        raise


def check(client: Client, url: str) -> None:
    """A ChannelError for an IP address that must not be called; a name is looked at when it is looked up."""
    try:
        client.gate.check_literal(httpx.URL(url).host)
    except PrivateAddress as refusal:
        raise CallError(Fault.AUTH, "private_address", str(refusal)) from None
    except httpx.InvalidURL:
        raise ChannelError(Fault.AUTH, "bad_address", "that is no address that we can call") from None
