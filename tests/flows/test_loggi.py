"""Loggi: a parcel whose webhook tells every scan comes to its end without anybody asking."""

import base64

import aiohttp

from adapters.loggi.sandbox import WEBHOOK_USER
from jobs.poll import webhook_url
from tests.flows.test_shipments import note_parcel, parcel
from tests.flows.test_tracking import CANECA
from tests.world import world

ASKED = "GET /v1/companies/{company}/packages/{code}/tracking"


async def test_what_the_webhook_tells_needs_no_asking_and_a_stranger_is_not_heard() -> None:
    async with world() as w:
        store = await w.connect("woocommerce", [CANECA], seed=1)
        carrier = await w.connect("loggi", seed=9)
        await w.open_stock(CANECA=100)
        order = await store.buy("CANECA")
        await w.settle()
        code = str((await carrier.act("post", journey="delivered"))["code"])
        await note_parcel(w, store, carrier, order, code)
        assert (await parcel(w, code))[0] == "label_created"
        asked = carrier.calls()[ASKED]

        url = await webhook_url(w.rt, carrier.account)
        async with aiohttp.ClientSession() as session:
            stranger = "Basic " + base64.b64encode(f"{WEBHOOK_USER}:guess".encode()).decode()
            answer = await session.post(url, json={"packages": []}, headers={"Authorization": stranger})
            assert answer.status == 401

        await carrier.act("callback", url=url)
        await carrier.act("advance", code=code, steps=5)
        await w.settle()
        status, news = await parcel(w, code)
        assert (status, news[0], news[-1]) == ("delivered", "dispatched", "delivered")
        assert carrier.calls()[ASKED] == asked
        assert await w.alerts() == ["tracking_code_unknown", "tracking_code_unknown"]  # 3 and 15: nobody publishes them
