"""What keeps the book honest: executing, validating and checking its notebooks and its site."""
