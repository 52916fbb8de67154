"""Plan to rows: generated Python at the core, input and output only at the leaves."""
