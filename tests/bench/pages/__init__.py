"""The product's server with two plain views beside its own: what a page and an answer are measured against."""
