"""What moves from one DHIS2 to another, and what became of it."""
