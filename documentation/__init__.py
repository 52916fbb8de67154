"""What makes the pages in docs/ a site: hooks of mkdocs, and the generator of the SQL reference."""
