"""Trains a small SpeechT5 from random weights with the Hugging Face Trainer, on a folder in LJSpeech layout.

An ordinary training script of that library: all that TrainingArguments knows is an option. Nothing here knows
of `stability`.
"""

import csv
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy.io import wavfile
from transformers import (
    HfArgumentParser,
    SpeechT5Config,
    SpeechT5FeatureExtractor,
    SpeechT5ForTextToSpeech,
    Trainer,
    TrainingArguments,
    set_seed,
)

CHARACTERS = "_abcdefghijklmnopqrstuvwxyz '-,.?!"
HELD_OUT = 8


@dataclass
class DataArguments:
    corpus: str = field(metadata={"help": "folder with metadata.csv and wavs/"})
    dropout: float = field(default=0.1, metadata={"help": "dropout everywhere"})


class Utterances(torch.utils.data.Dataset):
    """Character indices and log-mel spectrograms."""

    def __init__(self, corpus: Path, lines: list[list[str]]) -> None:
        extract = SpeechT5FeatureExtractor(sampling_rate=16000)
        self.items = []
        for name, *_, text in lines:
            rate, wave = wavfile.read(corpus / "wavs" / f"{name}.wav")
            mel = extract(audio_target=wave.astype(np.float32) / 32768, sampling_rate=rate)["input_values"][0]
            ids = [CHARACTERS.index(c) for c in text.lower() if c in CHARACTERS]
            self.items.append({"input_ids": torch.tensor(ids), "labels": torch.tensor(np.asarray(mel))})

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> dict:
        return self.items[index]


def collate(items: list[dict]) -> dict:
    pad = torch.nn.utils.rnn.pad_sequence
    ids = pad([item["input_ids"] for item in items], batch_first=True)
    mask = pad([torch.ones_like(item["input_ids"]) for item in items], batch_first=True)
    mels = pad([item["labels"] for item in items], batch_first=True, padding_value=-100.0)
    mels = mels[:, : mels.shape[1] // 2 * 2]  # the model predicts two frames at a time
    speakers = torch.zeros(len(items), 32)
    return {"input_ids": ids, "attention_mask": mask, "labels": mels, "speaker_embeddings": speakers}


def main() -> None:
    data, training = HfArgumentParser((DataArguments, TrainingArguments)).parse_args_into_dataclasses()
    set_seed(training.seed)
    corpus = Path(data.corpus)
    with (corpus / "metadata.csv").open(encoding="utf-8") as file:
        lines = list(csv.reader(file, delimiter="|", quoting=csv.QUOTE_NONE))
    sizes = {"hidden_size": 64, "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 128}
    sizes |= {"decoder_layers": 2, "decoder_attention_heads": 2, "decoder_ffn_dim": 128}
    sizes |= {
        "speech_decoder_prenet_units": 64,
        "speech_decoder_postnet_units": 64,
        "speaker_embedding_dim": 32,
    }
    sizes |= {
        "encoder_layerdrop": 0.0,
        "decoder_layerdrop": 0.0,
    }  # no layer at all is an error
    dropouts = ("hidden_dropout", "attention_dropout", "activation_dropout", "positional_dropout")
    config = SpeechT5Config(vocab_size=len(CHARACTERS), **sizes, **dict.fromkeys(dropouts, data.dropout))
    trainer = Trainer(
        model=SpeechT5ForTextToSpeech(config),
        args=training,
        train_dataset=Utterances(corpus, lines[:-HELD_OUT]),
        eval_dataset=Utterances(corpus, lines[-HELD_OUT:]),
        data_collator=collate,
    )
    trainer.train()


if __name__ == "__main__":
    main()
