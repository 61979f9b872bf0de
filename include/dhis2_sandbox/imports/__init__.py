"""What becomes of tracker data that is sent in?"""
