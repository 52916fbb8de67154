"""Slash commands for Discord bots."""
