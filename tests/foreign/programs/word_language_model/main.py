"""A word-level language model; the interface is that of pytorch/examples' word_language_model."""

import argparse
import math
import time
from pathlib import Path

import torch
from torch import nn

parser = argparse.ArgumentParser(description="PyTorch Toy-2 RNN/LSTM Language Model")
parser.add_argument("--data", type=str, default="./data/toy-2", help="location of the data corpus")
parser.add_argument(
    "--model", type=str, default="LSTM", help="type of network (RNN_TANH, RNN_RELU, LSTM, GRU)"
)
parser.add_argument("--emsize", type=int, default=48, help="size of word embeddings")
parser.add_argument("--nhid", type=int, default=48, help="number of hidden units per layer")
parser.add_argument("--nlayers", type=int, default=1, help="number of layers")
parser.add_argument("--lr", type=float, default=20, help="initial learning rate")
parser.add_argument("--clip", type=float, default=0.25, help="gradient clipping")
parser.add_argument("--epochs", type=int, default=40, help="upper epoch limit")
parser.add_argument("--batch_size", type=int, default=20, metavar="N", help="batch size")
parser.add_argument("--bptt", type=int, default=35, help="sequence length")
parser.add_argument("--dropout", type=float, default=0.2, help="dropout applied to layers (0 = no dropout)")
parser.add_argument("--seed", type=int, default=1111, help="random seed")
parser.add_argument("--log-interval", type=int, default=200, metavar="N", help="report interval")
parser.add_argument("--save", type=str, default="model.pt", help="path to save the final model")
parser.add_argument("--dry-run", action="store_true", help="verify the code and the model")
args = parser.parse_args()

torch.set_num_threads(1)
torch.manual_seed(args.seed)


class Corpus:
    """The ids of the words of train.txt, valid.txt and test.txt; a line ends with a word of its own."""

    def __init__(self, path):
        self.ids = {}
        self.train, self.valid, self.test = (
            self._read(Path(path) / f"{n}.txt") for n in ("train", "valid", "test")
        )

    def _read(self, path):
        words = [word for line in path.read_text().splitlines() for word in [*line.split(), "<eos>"]]
        return torch.tensor([self.ids.setdefault(word, len(self.ids)) for word in words])


class RNNModel(nn.Module):
    def __init__(self, kind, ntoken):
        super().__init__()
        self.drop = nn.Dropout(args.dropout)
        self.encoder = nn.Embedding(ntoken, args.emsize)
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        if kind in ("LSTM", "GRU"):
            self.rnn = getattr(nn, kind)(args.emsize, args.nhid, args.nlayers)
        else:
            nonlinearity = {"RNN_TANH": "tanh", "RNN_RELU": "relu"}[kind]
            self.rnn = nn.RNN(args.emsize, args.nhid, args.nlayers, nonlinearity=nonlinearity)
        self.decoder = nn.Linear(args.nhid, ntoken)

    def forward(self, words, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(words)), hidden)
        return self.decoder(self.drop(output)).flatten(0, 1), hidden


def batchify(data, size):
    rows = len(data) // size
    return data[: rows * size].view(size, -1).t().contiguous()


def get_batch(source, i):
    length = min(args.bptt, len(source) - 1 - i)
    return source[i : i + length], source[i + 1 : i + 1 + length].reshape(-1)


def repackage_hidden(hidden):
    return hidden.detach() if isinstance(hidden, torch.Tensor) else tuple(h.detach() for h in hidden)


corpus = Corpus(args.data)
ntokens = len(corpus.ids)
train_data, val_data, test_data = (
    batchify(corpus.train, args.batch_size),
    batchify(corpus.valid, 10),
    batchify(corpus.test, 10),
)
model = RNNModel(args.model, ntokens)
criterion = nn.CrossEntropyLoss()


def evaluate(source):
    model.eval()
    total, hidden = 0.0, None
    with torch.no_grad():
        for i in range(0, len(source) - 1, args.bptt):
            data, targets = get_batch(source, i)
            output, hidden = model(data, hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def train():
    model.train()
    total, hidden, start = 0.0, None, time.time()
    for batch, i in enumerate(range(0, len(train_data) - 1, args.bptt)):
        data, targets = get_batch(train_data, i)
        model.zero_grad()
        output, hidden = model(data, None if hidden is None else repackage_hidden(hidden))
        loss = criterion(output, targets)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-lr)
        total += loss.item()
        if batch % args.log_interval == 0 and batch > 0:
            mean = total / args.log_interval
            pace = (time.time() - start) * 1000 / args.log_interval
            print(
                f"| epoch {epoch:3d} | {batch:5d}/{len(train_data) // args.bptt:5d} batches | lr {lr:02.2f} | "
                f"ms/batch {pace:5.2f} | loss {mean:5.2f} | ppl {math.exp(mean):8.2f}"
            )
            total, start = 0.0, time.time()
        if args.dry_run:
            break


lr, best_val_loss = args.lr, None
try:
    for epoch in range(1, args.epochs + 1):
        epoch_start = time.time()
        train()
        val_loss = evaluate(val_data)
        print("-" * 89)
        print(
            f"| end of epoch {epoch:3d} | time: {time.time() - epoch_start:5.2f}s | valid loss {val_loss:5.2f} | "
            f"valid ppl {math.exp(val_loss):8.2f}"
        )
        print("-" * 89)
        if not best_val_loss or val_loss < best_val_loss:
            torch.save(model.state_dict(), args.save)
            best_val_loss = val_loss
        else:
            lr /= 4.0  # no better: a smaller step from here
except KeyboardInterrupt:
    print("-" * 89)
    print("Exiting from training early")

model.load_state_dict(torch.load(args.save))
test_loss = evaluate(test_data)
print("=" * 89)
print(f"| End of training | test loss {test_loss:5.2f} | test ppl {math.exp(test_loss):8.2f}")
print("=" * 89)
