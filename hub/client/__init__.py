"""A typed client of the REST API, of the very models that the server answers by.

from hub.client import Client
from hub.web.api.orders import OrderQuery

with Client("https://hub.loja.example", key) as hub:
    for order in hub.list_orders(OrderQuery(status="paid")):
        print(order.number, hub.get_order(order.id))
"""

from hub.client.calls import Client
from hub.client.transport import ApiError, NoAnswer

__all__ = ["ApiError", "Client", "NoAnswer"]
