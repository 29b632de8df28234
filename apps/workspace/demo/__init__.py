"""Two made-up tenants with a year of history. The same seed and day give the same data."""
