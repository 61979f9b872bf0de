"""The windows: which span of time does a run cover, and up to where is all accounted for?"""
