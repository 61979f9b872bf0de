"""The demo: one command copies a district, and shows it."""
