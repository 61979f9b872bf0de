"""Which tracker data goes out, and in what shape?"""
