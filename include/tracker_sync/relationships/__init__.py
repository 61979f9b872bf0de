"""The relationships: which are sent, which are gone, and what became of each?"""
