"""`balcao account ship-by` and `balcao seller shipping`."""

from tests.cli.conftest import Balcao


def test_a_sellers_patience(balcao: Balcao):
    balcao("seller", "add", "Loja").good()
    told = balcao("seller", "shipping", "--state", "am", "--stuck-days", "3", "--json").good().json
    assert told == {
        "name": "Loja", "state": "AM", "zone": "America/Manaus", "stuck_days": 3, "loss_days": 15, "pickup_days": 7,
        "link_days": 30, "quiet": "21:00-08:00",
    }  # fmt: skip
    assert "stuck after 3 days" in balcao("seller", "shipping").good().out
    assert balcao("seller", "shipping", "--state", "none", "--json").good().json["state"] is None
    assert "'all night' is not like 21:00-08:00" in balcao("seller", "shipping", "--quiet", "all night").sentence(2)
    assert "'XX' is no Brazilian state" in balcao("seller", "shipping", "--state", "XX").sentence(2)
    assert "loss days: 3 is not more than the 3" in balcao("seller", "shipping", "--loss-days", "3").sentence(2)
    assert balcao("seller", "shipping", "--json").good().json["loss_days"] == 15


def test_what_is_no_time_of_day(balcao: Balcao):
    for told in ("25:00", "14", "14h00", "14:7"):
        said = balcao("account", "ship-by", "x", "--cutoff", told).sentence(2)
        assert said.endswith(f"--cutoff '{told}' is not a time of day like 14:00.")
    assert "--none takes the policy away" in balcao("account", "ship-by", "x", "--none", "--cutoff", "9:00").sentence(2)
