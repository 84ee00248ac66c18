"""Files that leave graphcore: checkpoints, safetensors and compiled bundles."""
