"""A watch for the trainers of other libraries, one library a file; each is imported in its own file only."""
