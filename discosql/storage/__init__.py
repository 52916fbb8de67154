"""Rows and indexes to messages and back. Knows no SQL."""
