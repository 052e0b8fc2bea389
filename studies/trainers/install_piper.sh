#!/usr/bin/env bash
# Installs piper with its training part into .piper/ at the root of this repository: bash studies/trainers/install_piper.sh
# Its wheel lacks the compiled alignment search of VITS; a NumPy version of that search takes its place.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 -m venv .piper
.piper/bin/pip install -q torch==2.13.0 'piper-tts[train]==1.8.0'
folder=$(.piper/bin/python -c 'import piper, pathlib; print(pathlib.Path(piper.__file__).parent / "train/vits/monotonic_align/monotonic_align")')
mkdir -p "$folder"
touch "$folder/__init__.py"
cp studies/trainers/piper_alignment.py "$folder/core.py"
.piper/bin/python -c 'import piper.train.vits.monotonic_align' && echo "piper is in .piper"
