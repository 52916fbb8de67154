"""SQL text to plan: no input or output, no waiting. Only this package imports sqlglot."""
