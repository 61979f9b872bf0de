"""The deletions: what may go at the destination, when, and what became of it?"""
