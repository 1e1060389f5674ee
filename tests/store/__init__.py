"""What the PostgreSQL catalogue itself says about keeping sellers apart."""
