"""Balcão: the hub behind the counter of a Brazilian seller."""
