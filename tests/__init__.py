"""The tests of Balcão."""
