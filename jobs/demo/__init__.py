"""A shop to look around in, with channels that this machine plays."""
