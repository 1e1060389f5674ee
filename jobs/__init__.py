"""What the workers do: thin shells around flows that drain whatever is due."""
