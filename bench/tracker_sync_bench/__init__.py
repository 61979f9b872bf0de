"""The bench: does tracker-sync keep the speed and the memory that it promises?"""
