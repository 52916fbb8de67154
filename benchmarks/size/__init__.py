"""What a table costs at 10³ to 10⁶ rows: seconds, requests and memory of a process that does one thing."""
