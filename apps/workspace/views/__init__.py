"""The pages, one module per section."""
