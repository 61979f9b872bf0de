"""The planning: what is sent of each object, and why are the others not?"""
