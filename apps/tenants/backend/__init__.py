"""Database engine: django-tenants' PostgreSQL backend with one ``SET search_path`` per switch."""
