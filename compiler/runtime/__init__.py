"""Loading compiled objects and running programs made of them.  Nothing here imports Numba."""
