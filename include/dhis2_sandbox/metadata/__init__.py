"""What metadata does the server hold, and how does it change?"""
