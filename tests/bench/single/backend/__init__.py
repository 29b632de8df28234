"""Django's PostgreSQL backend; the code asks it which schema it stands in."""
