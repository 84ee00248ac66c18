"""What the compiler did, as data: every pass, every fusion decision, kernels, memory, and the ways between them."""
