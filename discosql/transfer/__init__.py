"""Transfer: rows between databases and files of other programs."""
