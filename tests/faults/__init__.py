"""What breaks, against what the hub does: one test for each cell of the table in test_table.py."""
