"""How fast files of rows are imported."""
