"""The runs: what is a run's work, slice by slice, and what does it tell at its end?"""
