"""Everything sealed is sealed anew, and the old key opens nothing that is left."""

import pytest

from hub.secrets import SecretsError, Vault, new_key
from hub.store import people, sealed
from jobs import keys, two_factor
from tests.world import world


async def test_after_a_rotation_the_first_key_alone_opens_all() -> None:
    async with world() as w:
        shop = await w.connect("woocommerce")
        await w.connect("bling")
        async with w.rt.db.people() as tx:
            ana = await people.user_put(tx, "ana@loja.example", "Ana", "x", "pt_BR")
        await two_factor.begin(w.rt, ana)
        new = new_key()
        w.rt.vault = Vault([new, w.key])
        done = await keys.rotate(w.rt)
        assert done == {
            "channel_app.callback_sealed": 1, "credential.sealed": 2, "credential.token_sealed": 1,
            "freight_label.pdf": 0, "user_factor.sealed": 1,
        } | {name: 0 for name in done if name not in KNOWN}  # fmt: skip
        alone = Vault([new])
        async with w.rt.db.seller(w.seller_id) as tx:
            for row in await tx.all("SELECT sealed, token_sealed FROM credential"):
                assert alone.open(bytes(row["sealed"]))
                assert row["token_sealed"] is None or alone.open(bytes(row["token_sealed"]))
        assert alone.open((await w.row("SELECT callback_sealed AS s FROM channel_app"))["s"])
        assert alone.open((await w.row("SELECT sealed FROM user_factor"))["sealed"])["is"] == "totp"
        w.rt.vault = alone
        assert "consumer_key" in repr((await w.rt.api(shop.account)).credentials)
        w.rt.vault = Vault([new_key()])
        with pytest.raises(SecretsError):
            await keys.rotate(w.rt)


KNOWN = {
    "channel_app.callback_sealed", "credential.sealed", "credential.token_sealed", "freight_label.pdf",
    "user_factor.sealed",
}  # fmt: skip


async def test_more_rows_than_a_batch_are_sealed_anew_each_once() -> None:
    async with world() as w:
        told = w.rt.vault.seal({"is": "totp"})
        async with w.rt.db.people() as tx:
            for n in range(sealed.BATCH + 3):
                user = await people.user_put(tx, f"p{n}@loja.example", "P", "x", "pt_BR")
                await tx.run(
                    "INSERT INTO user_factor (user_id, sealed, created_at) VALUES (%s, %s, now())", [user, told]
                )
        assert (await keys.rotate(w.rt))["user_factor.sealed"] == sealed.BATCH + 3
        assert not await w.rows("SELECT 1 FROM user_factor WHERE sealed = %s", told)
