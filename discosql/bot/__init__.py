"""The face on Discord: slash commands, charts, a ready-made bot, and the doctor."""
