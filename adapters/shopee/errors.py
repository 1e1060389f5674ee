"""What Shopee's errors mean: they come inside a 200, under codes that say too little. Pure."""

from datetime import datetime, timedelta, timezone

from hub.contract import json_of
from hub.faults import Fault, Unreadable
from hub.model import Raw, Reply

SINGAPORE = timezone(timedelta(hours=8))
SUCCESS = frozenset({"", "-"})  # what stands in `error` when there is none; "-" is the documentation's
OVERLOADED = frozenset(
    {"error_auth", "error_param", "error_server", "error_inner", "error_shop", "error_data", "error_limit", ""}
)
WORDS = (  # in the message of an overloaded code, lower case; the first that is found: the code that it should have
    ("normal stock must be equal to 0", "error_fbs_stock"),  # error_server of an item that Shopee itself fulfils
    ("stock location", "error_location"),
    ("location_id", "error_location"),
    ("reserved stock", "error_reserved_stock"),  # a promotion holds units: the total cannot be below them
    ("reserve stock", "error_reserved_stock"),
    ("holiday mode", "error_holiday_mode"),
    ("under promotion", "error_cannt_edit_stock_in_promotion"),
    ("refresh_token", "invalid_refresh_token"),  # used, or older than 30 days: the seller connects again
    ("access_token", "invalid_access_token"),
    ("timestamp", "error_timestamp"),  # this machine's clock is more than 5 minutes off
    ("daily api call limit", "error_daily_limit"),
    ("limit 50", "error_over_limit"),  # of a batch; and of parcels
    ("exceed limit", "error_over_limit"),
    ("current status", "error_status"),
    ("system error", "error_system_busy"),  # under error_auth too
    ("permission to current api", "error_api_permission"),
    ("have been restricted", "error_api_call_restricted"),
    ("app is deleted", "invalid_partner_id"),
    ("partner", "invalid_partner_id"),
    ("shopid", "partner_shop_no_link"),
    ("shop_id", "partner_shop_no_link"),
    ("invalid code", "invalid_code"),
    ("model_id", "error_model"),
    ("is not found", "error_not_found"),
    ("product not found", "error_item_not_found"),
    ("not exist", "error_not_found"),
)
STALE_TOKEN = frozenset({"invalid_access_token", "invalid_acceess_token"})  # sic, the second
FAULTS: dict[int | str, Fault] = {
    **dict.fromkeys(
        (*STALE_TOKEN, "invalid_refresh_token", "invalid_code", "error_sign", "error_timestamp", "invalid_partner_id",
         "error_partner_key_expired", "partner_shop_no_link", "shop_no_linked", "shop_banned", "error_shop",
         "error_kyc_auth", "error_api_call_restricted", "source_ip_undeclared"),
        Fault.AUTH,
    ),
    **dict.fromkeys(("error_rate_limit", "error_limit", "error_daily_limit"), Fault.THROTTLED),
    **dict.fromkeys(
        ("error_server", "error_inner", "error_system_busy", "error_network", "error_unknown", "error_other",
         "error_timeout", "error_third_party_server", "error_core_server", "error_connection"),
        Fault.TRANSIENT,
    ),
    **dict.fromkeys(
        ("error_not_found", "error_item_not_found", "error_order_not_found", "error_nil_shopid_or_itemid"),
        Fault.MISSING,
    ),
    **dict.fromkeys(
        ("error_auth", "error_param", "error_data", "error_busi", "error_permission", "error_api_permission",
         "error_ashop_api_permission", "error_perm_non_admin", "error_model", "error_location", "error_fbs_stock",
         "error_reserved_stock", "error_holiday_mode", "error_holiday_mode_change_stock", "error_item_uneditable",
         "error_cannt_edit_stock_in_promotion", "error_promotion_cantnot_update_stock", "error_item_not_belong_shop",
         "error_model_update_stock_model_in_promotion", "error_in_item_promotion_nomodel_to_models",
         "error_edit_item_stock_for_item_has_model", "error_busi_update_stock_failed", "error_busi_cannot_edit_vsku",
         "error_wms_shop_block_upate_stock", "error_seller_under_penalty", "error_param_shop_id_not_found",
         "error_status", "error_state", "error_order_state", "order_list_invalid_time", "package_number_not_exist",
         "no_available_time_slot", "no_supported_dropoff_branch", "no_supported_pickup_address",
         "no_valid_shipping_parameters", "no_way_to_ship", "update_stock_failed",
         "error_over_limit"),
        Fault.REJECTED,
    ),
    400: Fault.REJECTED,
    401: Fault.AUTH,
    403: Fault.AUTH,
    404: Fault.MISSING,
    429: Fault.THROTTLED,
}  # fmt: skip


def read_error(reply: Reply) -> str | None:
    """The code of an error, told by its message where the vendor's code says too little; None: there is none."""
    try:
        return code_of(json_of(reply))
    except Unreadable:  # a proxy's page
        return None


def code_of(body: Raw) -> str | None:
    """The code of an envelope `{error, message, request_id, response}`; modules put their name before it."""
    if not isinstance(body, dict):
        raise Unreadable("body", "not an answer of Shopee")
    told = body.get("error")
    if told is None or (isinstance(told, str) and told.strip() in SUCCESS):
        return None
    code = str(told).rpartition(".")[2].strip() or "error"
    return named_by(code, str(body.get("message") or ""))


def until(code: str, now: datetime) -> datetime | None:
    """The calls of a day are spent until 00:00 in Singapore; going on asking gets the application restricted."""
    if code != "error_daily_limit":
        return None
    return (now.astimezone(SINGAPORE) + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def named_by(code: str, message: str) -> str:
    """A code of its own for an overloaded one, found in its message."""
    if code not in OVERLOADED:
        return code
    words = message.lower()
    return next((better for part, better in WORDS if part in words), code)
