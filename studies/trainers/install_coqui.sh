#!/usr/bin/env bash
# Installs Coqui TTS into .coqui/ at the root of this repository: bash studies/trainers/install_coqui.sh
# torchaudio and torchcodec are asked for by name but not used for mel features: torchaudio's compiled parts, which
# fit one version of torch only, are removed.
set -euo pipefail
cd "$(dirname "$0")/../.."
python3 -m venv .coqui
.coqui/bin/pip install -q torch==2.13.0 coqui-tts==0.28.0 six
.coqui/bin/pip install -q --no-deps torchaudio==2.11.0 torchcodec==0.17.0
find .coqui/lib -path '*/torchaudio/*' -name '*.so*' -delete
.coqui/bin/python -c 'import TTS.bin.train_tts' && echo "Coqui TTS is in .coqui"
