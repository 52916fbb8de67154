"""What makes the pages in docs/ a site: a hook of mkdocs, and the generator of the SQL reference."""
