"""Code for Window nodes."""
