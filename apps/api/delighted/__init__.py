"""The API that integrations built for Delighted speak, answered from our own services and rows."""
