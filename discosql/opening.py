"""Opening a database by its address: ``":memory:"``, a file's path, or ``"discord://<server name or id>"``."""
