"""How fast discosql is: `python -m benchmarks` compares it with SQLite and others, and writes what it found."""
