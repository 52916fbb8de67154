"""Changes of rows and of the schema: INSERT, UPDATE, DELETE and what their constraints ask for."""
