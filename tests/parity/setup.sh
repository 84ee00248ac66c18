#!/bin/sh
# Makes a virtual environment with real MindSpore: tests/parity/setup.sh FOLDER  (or GRAPHCORE_MINDSPORE_VENV=FOLDER).
# About 2.5 GB on disk.  Keep it outside the repository.
#
# The MindSpore 2.10 wheel was built against NumPy 1 without saying so; with NumPy 2 its first eager operator fails.
# It must also be run with MS_JIT_IGNORE_MODULES=numpy,scipy, which tests/parity/worker.py sets.
set -eu
folder="${1:-${GRAPHCORE_MINDSPORE_VENV:-}}"
[ -n "$folder" ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
"${PYTHON:-python3.11}" -m venv "$folder"
"$folder/bin/pip" install --quiet "mindspore==2.10.*" "numpy<2"
MS_JIT_IGNORE_MODULES=numpy,scipy "$folder/bin/python" -c "import mindspore; print('MindSpore', mindspore.__version__)"
