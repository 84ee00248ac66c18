"""The command line, one module a command; `main.COMMANDS` lists them."""
