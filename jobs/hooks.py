"""A person has an account's webhooks registered now, outside the recurring task."""

from hub.store import accounts
from hub.store.accounts import Account
from jobs.poll import webhook_url
from jobs.runtime import Runtime
from jobs.watch import watch


class Unregistered(Exception):
    """Nothing can be registered: `why` is one of no_webhooks, no_address, by_hand, not_live."""

    def __init__(self, why: str, url: str = "") -> None:
        super().__init__(why)
        self.why, self.url = why, url


async def register(rt: Runtime, account: Account) -> list[str]:
    """Make an account's registration right at its channel; answers what was done. Unregistered, or ChannelError."""
    adapter = rt.adapter(account.channel)
    if adapter.webhook is None:
        raise Unregistered("no_webhooks")
    if not rt.policy.public_url:
        raise Unregistered("no_address")
    if account.status == "closed":
        raise Unregistered("not_live")
    url = await webhook_url(rt, account)
    if not adapter.registers():
        raise Unregistered("by_hand", url)
    if not account.writes:
        raise Unregistered("not_live")
    secret = await rt.hook_secret(account.seller_id, account.id)
    api, subscribe = await rt.api(account), adapter.webhook.subscribe
    done = await subscribe(api, url, secret) if subscribe else []
    if count := await watch(rt, account, api, url, secret):
        done.append(f"{count} parcels are watched")
    async with rt.db.seller(account.seller_id) as tx:
        await accounts.settle_facts(tx, account.id, subscribed=done, subscribed_at=rt.now().isoformat())
    return done
