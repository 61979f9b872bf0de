"""The notes: which does the destination lack, and how does each get there once?"""
