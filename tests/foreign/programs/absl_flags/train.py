"""Ratings of users for things by factors; absl flags, and the log lines of TensorFlow's estimators."""

import json
import math
import time
from pathlib import Path

import torch
from absl import app, flags, logging
from torch import nn

FLAGS = flags.FLAGS
flags.DEFINE_string("model_dir", None, "Where checkpoints and summaries are written.")
flags.DEFINE_float(
    "learning_rate",
    0.01,
    "Peak learning rate; warm-up and cosine decay follow from train_steps.",
    lower_bound=0.0,
)
flags.DEFINE_integer("train_steps", 1500, "Number of training steps.", lower_bound=1)
flags.DEFINE_integer("warmup_steps", 50, "Steps of linear warm-up.")
flags.DEFINE_integer("batch_size", 128, "Batch size.")
flags.DEFINE_integer("save_summary_steps", 100, "Steps between two log lines.")
flags.DEFINE_enum("optimizer", "adam", ["momentum", "adam"], "Which optimizer.")
flags.DEFINE_bool("fail_on_nan_loss", True, "Whether to stop when the loss is NaN.")
flags.DEFINE_integer("tf_random_seed", 0, "Random seed.")
flags.mark_flag_as_required("model_dir")

USERS, THINGS, FACTORS = 200, 150, 8


class NanLossDuringTrainingError(RuntimeError):
    """The loss of a step is NaN."""

    def __str__(self):
        return "NaN loss during training."


class Factors(nn.Module):
    """A rating is a product of two embeddings that pass a hidden layer."""

    def __init__(self):
        super().__init__()
        self.user, self.thing = nn.Embedding(USERS, 16), nn.Embedding(THINGS, 16)
        for table in (self.user, self.thing):
            nn.init.normal_(table.weight, std=0.3)
        self.tower = nn.Sequential(nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 1))

    def forward(self, users, things):
        u, t = self.user(users), self.thing(things)
        return (u * t).sum(-1) + self.tower(torch.cat([u, t], -1)).squeeze(-1)


def ratings():
    """(users, things, values) to train and to evaluate; the variance of the values is about 1."""
    rng = torch.Generator().manual_seed(21)
    left, right = (torch.randn(n, FACTORS, generator=rng) for n in (USERS, THINGS))
    users = torch.randint(0, USERS, (20000,), generator=rng)
    things = torch.randint(0, THINGS, (20000,), generator=rng)
    values = (left[users] * right[things]).sum(-1) / FACTORS**0.5 + 0.1 * torch.randn(20000, generator=rng)
    table = (users, things, values)
    return [part[:18000] for part in table], [part[18000:] for part in table]


def rate_at(step):
    if step < FLAGS.warmup_steps:
        return FLAGS.learning_rate * (step + 1) / FLAGS.warmup_steps
    part = (step - FLAGS.warmup_steps) / max(1, FLAGS.train_steps - FLAGS.warmup_steps)
    return 0.5 * FLAGS.learning_rate * (1 + math.cos(math.pi * part))


def loss_of(model, table, rows):
    users, things, values = (part[rows] for part in table)
    return nn.functional.mse_loss(model(users, things), values)


def save(model, step):
    path = Path(FLAGS.model_dir) / f"model.ckpt-{step}"
    torch.save(model.state_dict(), path)
    logging.info("Saving checkpoints for %d into %s.", step, path)


def train(model, optimizer, table):
    began = time.time()
    logging.info("Create CheckpointSaverHook.")
    save(model, 0)
    for step in range(FLAGS.train_steps):
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step)
        loss = loss_of(model, table, torch.randint(len(table[0]), (FLAGS.batch_size,)))
        if math.isnan(loss.item()):
            logging.error("Model diverged with loss = NaN.")
            if FLAGS.fail_on_nan_loss:
                raise NanLossDuringTrainingError
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % FLAGS.save_summary_steps == 0:
            spent, began = time.time() - began, time.time()
            if step:
                logging.info("global_step/sec: %g", FLAGS.save_summary_steps / spent)
            logging.info("loss = %s, step = %d (%.3f sec)", f"{loss.item():.7g}", step, spent)
    save(model, FLAGS.train_steps)
    logging.info("Loss for final step: %s.", f"{loss.item():.7g}")


def main(argv):
    if len(argv) > 1:
        raise app.UsageError("Too many command-line arguments.")
    torch.set_num_threads(1)
    torch.manual_seed(FLAGS.tf_random_seed)
    Path(FLAGS.model_dir).mkdir(parents=True, exist_ok=True)
    logging.info("Using config: %s", json.dumps(FLAGS.flag_values_dict(), default=str)[:400])
    model = Factors()
    if FLAGS.optimizer == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=FLAGS.learning_rate)
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=FLAGS.learning_rate, momentum=0.9)
    training, evaluation = ratings()
    train(model, optimizer, training)
    with torch.no_grad():
        loss = loss_of(model, evaluation, slice(None)).item()
    logging.info(
        "Saving dict for global step %d: global_step = %d, loss = %.7g",
        FLAGS.train_steps,
        FLAGS.train_steps,
        loss,
    )


if __name__ == "__main__":
    app.run(main)
