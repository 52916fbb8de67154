"""discosql: a SQL database whose storage is a Discord server."""
