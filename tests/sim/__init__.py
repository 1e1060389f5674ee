"""A seeded simulator: the real flows over a real PostgreSQL, with a fake clock and fake channels."""
