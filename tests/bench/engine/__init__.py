"""Speed of deciding, claiming, ticking and trying out: each module prints both sides as JSON."""
