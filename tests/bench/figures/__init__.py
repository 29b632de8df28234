"""Figures over ten million responses: what is kept ready against what is counted."""
