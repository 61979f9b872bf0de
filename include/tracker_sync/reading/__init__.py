"""The reading: what does the source name and give, whole and nothing missing?"""
