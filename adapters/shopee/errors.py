"""What Shopee's errors mean: they come inside a 200, under codes that say too little. Pure."""

from datetime import datetime, timedelta, timezone

from hub.contract import json_of
from hub.faults import Fault, Unreadable
from hub.model import Reply
from hub.wire import Wire

SINGAPORE = timezone(timedelta(hours=8))
OVERLOADED = {"", "error_auth", "error_param", "error_server", "error_inner", "error_shop", "error_data", "error_limit"}
WORDS = {  # the code that an overloaded one should have: what then stands in its message, lower case; the first counts
    "error_fbs_stock": ("normal stock must be equal to 0",),  # error_server of an item that Shopee itself fulfils
    "error_location": ("stock location", "location_id"),
    "error_reserved_stock": ("reserved stock", "reserve stock"),  # held by a promotion: the total cannot be below them
    "error_holiday_mode": ("holiday mode",),
    "error_cannt_edit_stock_in_promotion": ("under promotion",),
    "invalid_refresh_token": ("refresh_token",),  # used, or older than 30 days: the seller connects again
    "invalid_access_token": ("access_token",),
    "error_timestamp": ("timestamp",),  # this machine's clock is more than 5 minutes off
    "error_daily_limit": ("daily api call limit",),
    "error_over_limit": ("limit 50", "exceed limit"),  # of a batch; and of parcels
    "error_status": ("current status",),
    "error_system_busy": ("system error",),  # under error_auth too
    "error_api_permission": ("permission to current api",),
    "error_api_call_restricted": ("have been restricted",),
    "invalid_partner_id": ("app is deleted", "partner"),
    "partner_shop_no_link": ("shopid", "shop_id"),
    "invalid_code": ("invalid code",),
    "error_model": ("model_id",),
    "error_not_found": ("is not found", "product not found", "not exist"),
}
STALE_TOKEN = frozenset({"invalid_access_token", "invalid_acceess_token"})  # sic, the second
MEANT: dict[Fault, tuple[int | str, ...]] = {
    Fault.AUTH: (
        401, *STALE_TOKEN, "invalid_refresh_token", "invalid_code", "error_sign", "error_timestamp", "error_shop",
        "invalid_partner_id", "error_partner_key_expired", "partner_shop_no_link", "shop_no_linked", "shop_banned",
        "error_kyc_auth", "error_api_call_restricted", "source_ip_undeclared",
    ),
    Fault.THROTTLED: (429, "error_rate_limit", "error_limit", "error_daily_limit"),
    Fault.TRANSIENT: (
        "error_server", "error_inner", "error_system_busy", "error_network", "error_unknown", "error_other",
        "error_timeout", "error_third_party_server", "error_core_server", "error_connection",
    ),
    Fault.MISSING: ("error_not_found", "error_item_not_found", "error_order_not_found", "error_nil_shopid_or_itemid"),
    # Of a stock write a code that nobody knows is REJECTED too: those that only it tells do not stand here.
    Fault.REJECTED: (
        "error_auth", "error_param", "error_data", "error_busi", "error_permission", "error_api_permission",
        "error_ashop_api_permission", "error_perm_non_admin", "error_seller_under_penalty", "error_model",
        "error_location", "error_fbs_stock", "error_reserved_stock", "error_holiday_mode", "error_over_limit",
        "error_cannt_edit_stock_in_promotion", "error_param_shop_id_not_found", "error_status", "error_state",
        "error_order_state", "order_list_invalid_time", "package_number_not_exist", "no_available_time_slot",
        "no_supported_dropoff_branch", "no_supported_pickup_address", "no_valid_shipping_parameters", "no_way_to_ship",
    ),
}  # fmt: skip
FAULTS = {code: fault for fault, codes in MEANT.items() for code in codes}


def read_error(reply: Reply) -> str | None:
    """The code in `error`, after the module's name; by the message where the vendor's says too little. None: none."""
    try:
        told = Wire(json_of(reply), "body")
        code, message = told.text("error"), told.text("message")
    except Unreadable:  # a proxy's page
        return None
    return named_by(code.rpartition(".")[2].strip() or "error", message) if code else None


def named_by(code: str, message: str | None) -> str:
    """A code of its own for an overloaded one, found in its message."""
    if code not in OVERLOADED:
        return code
    words = (message or "").lower()
    return next((better for better, parts in WORDS.items() if any(part in words for part in parts)), code)


def until(code: str, now: datetime) -> datetime | None:
    """The calls of a day are spent until 00:00 in Singapore; going on asking gets the application restricted."""
    if code != "error_daily_limit":
        return None
    return (now.astimezone(SINGAPORE) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
