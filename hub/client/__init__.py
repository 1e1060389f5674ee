"""A typed client of the REST API, of the very models that the server answers by.

from hub.client import Client
from hub.web.api import orders

with Client("https://hub.loja.example", key) as hub:
    for order in hub.list_orders(orders.Wanted(status="paid")):
        print(order.number, order.status)
"""

from hub.client.calls import Client
from hub.client.transport import ApiError, NoAnswer

__all__ = ["ApiError", "Client", "NoAnswer"]
