"""The discosql command."""
