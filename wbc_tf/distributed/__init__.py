"""The same work on several machines. One process lists the files, the others make them."""
