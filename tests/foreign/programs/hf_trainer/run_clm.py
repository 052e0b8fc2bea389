"""A causal language model trained with transformers' Trainer; the interface is that of run_clm.py."""

import logging
import math
import sys
from dataclasses import dataclass, field
from pathlib import Path

import torch
import transformers
from transformers import GPT2Config, GPT2LMHeadModel, HfArgumentParser, Trainer, TrainingArguments, set_seed

logger = logging.getLogger(__name__)
VOCABULARY = 128  # plain ASCII


@dataclass
class ModelArguments:
    """Which model is trained from scratch."""

    model_type: str | None = field(default="gpt2", metadata={"help": "Model type for training from scratch."})
    config_overrides: str | None = field(
        default=None,
        metadata={"help": "Override some default config settings. Example: n_embd=10,resid_pdrop=0.2"},
    )
    cache_dir: str | None = field(default=None, metadata={"help": "Where to store downloaded models."})


@dataclass
class DataTrainingArguments:
    """What is read."""

    train_file: str | None = field(
        default=None, metadata={"help": "The input training data file (a text file)."}
    )
    validation_split_percentage: int = field(
        default=5, metadata={"help": "The percentage of the train set used as validation set."}
    )
    block_size: int | None = field(
        default=None, metadata={"help": "Input sequence length after tokenization."}
    )
    max_train_samples: int | None = field(default=None, metadata={"help": "Truncate the training examples."})

    def __post_init__(self):
        if self.train_file is None:
            raise ValueError("Need a training file.")
        extension = self.train_file.split(".")[-1]
        assert extension in ["csv", "json", "txt"], "`train_file` should be a csv, a json or a txt file."


class Blocks(torch.utils.data.Dataset):
    """Equal pieces of a text, a character a token."""

    def __init__(self, text, size):
        ids = torch.tensor([min(ord(letter), VOCABULARY - 1) for letter in text])
        self.rows = ids[: len(ids) // size * size].view(-1, size)

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, i):
        return {"input_ids": self.rows[i], "labels": self.rows[i]}


def model_of(args, size):
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=size,
        n_embd=48,
        n_layer=2,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    if args.config_overrides:
        config.update_from_string(args.config_overrides)
    return GPT2LMHeadModel(config)


def main():
    torch.set_num_threads(1)
    parser = HfArgumentParser((ModelArguments, DataTrainingArguments, TrainingArguments))
    if len(sys.argv) == 2 and sys.argv[1].endswith(".json"):
        model_args, data_args, training_args = parser.parse_json_file(json_file=sys.argv[1])
    else:
        model_args, data_args, training_args = parser.parse_args_into_dataclasses()

    logging.basicConfig(
        format="%(asctime)s - %(levelname)s - %(name)s - %(message)s",
        datefmt="%m/%d/%Y %H:%M:%S",
        handlers=[logging.StreamHandler(sys.stdout)],
    )
    transformers.utils.logging.set_verbosity_info()
    logger.setLevel(training_args.get_process_log_level())
    logger.warning("Process rank: %d, device: %s", training_args.local_process_index, training_args.device)
    logger.info("Training/evaluation parameters %s", training_args)
    set_seed(training_args.seed)

    size = data_args.block_size or 64
    text = Path(data_args.train_file).read_text()
    cut = len(text) * (100 - data_args.validation_split_percentage) // 100
    train_set, eval_set = Blocks(text[:cut], size), Blocks(text[cut:], size)
    if data_args.max_train_samples:
        train_set = torch.utils.data.Subset(train_set, range(data_args.max_train_samples))

    trainer = Trainer(
        model=model_of(model_args, size),
        args=training_args,
        train_dataset=train_set if training_args.do_train else None,
        eval_dataset=eval_set if training_args.do_eval else None,
    )
    if training_args.do_train:
        result = trainer.train(resume_from_checkpoint=training_args.resume_from_checkpoint)
        trainer.save_model()
        metrics = result.metrics | {"train_samples": len(train_set)}
        trainer.log_metrics("train", metrics)
        trainer.save_metrics("train", metrics)
        trainer.save_state()
    if training_args.do_eval:
        logger.info("*** Evaluate ***")
        metrics = trainer.evaluate() | {"eval_samples": len(eval_set)}
        try:
            metrics["perplexity"] = math.exp(metrics["eval_loss"])
        except OverflowError:
            metrics["perplexity"] = float("inf")
        trainer.log_metrics("eval", metrics)
        trainer.save_metrics("eval", metrics)


if __name__ == "__main__":
    main()
