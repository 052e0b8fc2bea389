"""
A small GPT on a made text. To run with a config and overrides:
$ python train.py config/train_toy_char.py --batch_size=32 --learning_rate=0.01
"""

import math
import time
from pathlib import Path

import torch
from torch import nn
from torch.nn import functional as F

# -----------------------------------------------------------------------------
# default config values
# I/O
out_dir = "out"
eval_interval = 2000
log_interval = 10
eval_iters = 200
eval_only = False  # if True, the script exits right after the first eval
always_save_checkpoint = True
# model
n_layer = 6
n_head = 6
n_embd = 384
dropout = 0.0
# data
batch_size = 12
block_size = 64
# optimizer
learning_rate = 6e-4  # max learning rate
max_iters = 600000
weight_decay = 1e-1
beta1 = 0.9
beta2 = 0.95
grad_clip = 1.0  # clip gradients at this value, or disable if == 0.0
# learning rate decay
decay_lr = True
warmup_iters = 2000
lr_decay_iters = 600000
min_lr = 6e-5
# system
device = "cpu"
seed = 1337
config_keys = [
    k for k, v in globals().items() if not k.startswith("_") and isinstance(v, (int, float, bool, str))
]
exec(Path(__file__).with_name("configurator.py").read_text())
config = {k: globals()[k] for k in config_keys}
# -----------------------------------------------------------------------------

tokens_per_iter = batch_size * block_size
print(f"tokens per iteration will be: {tokens_per_iter:,}")
Path(out_dir).mkdir(parents=True, exist_ok=True)
torch.set_num_threads(1)
torch.manual_seed(seed)

# a text whose next letter follows from the one before it, most of the time
vocab_size = 27
_rng = torch.Generator().manual_seed(2)
_table = torch.softmax(2.5 * torch.randn(vocab_size, vocab_size, generator=_rng), -1).cumsum(-1)
_letters = [0]
for _draw in torch.rand(24000, generator=_rng).tolist():
    _letters.append(min(int(torch.searchsorted(_table[_letters[-1]], _draw)), vocab_size - 1))
data = {"train": torch.tensor(_letters[:20000]), "val": torch.tensor(_letters[20000:])}


def get_batch(split):
    ix = torch.randint(len(data[split]) - block_size, (batch_size,))
    x = torch.stack([data[split][i : i + block_size] for i in ix])
    y = torch.stack([data[split][i + 1 : i + 1 + block_size] for i in ix])
    return x, y


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)
        self.c_attn, self.c_proj = nn.Linear(n_embd, 3 * n_embd), nn.Linear(n_embd, n_embd)
        self.mlp = nn.Sequential(nn.Linear(n_embd, 4 * n_embd), nn.GELU(), nn.Linear(4 * n_embd, n_embd))

    def forward(self, x):
        q, k, v = (
            t.unflatten(2, (n_head, -1)).transpose(1, 2) for t in self.c_attn(self.ln_1(x)).chunk(3, 2)
        )
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True).transpose(1, 2).flatten(2)
        x = x + self.c_proj(y)
        return x + self.mlp(self.ln_2(x))


class GPT(nn.Module):
    def __init__(self):
        super().__init__()
        self.wte, self.wpe = nn.Embedding(vocab_size, n_embd), nn.Embedding(block_size, n_embd)
        self.blocks = nn.Sequential(*(Block() for _ in range(n_layer)))
        self.ln_f, self.lm_head = nn.LayerNorm(n_embd), nn.Linear(n_embd, vocab_size, bias=False)

    def forward(self, x, y):
        h = self.blocks(self.wte(x) + self.wpe(torch.arange(x.shape[1])))
        logits = self.lm_head(self.ln_f(h))
        return logits, F.cross_entropy(logits.flatten(0, 1), y.flatten())


@torch.no_grad()
def estimate_loss():
    return {s: sum(model(*get_batch(s))[1].item() for _ in range(eval_iters)) / eval_iters for s in data}


def get_lr(it):
    if it < warmup_iters:
        return learning_rate * (it + 1) / (warmup_iters + 1)
    if it > lr_decay_iters:
        return min_lr
    ratio = (it - warmup_iters) / (lr_decay_iters - warmup_iters)
    return min_lr + 0.5 * (1.0 + math.cos(math.pi * ratio)) * (learning_rate - min_lr)


print("Initializing a new model from scratch")
model = GPT()
print(f"number of parameters: {sum(p.numel() for p in model.parameters()) / 1e6:.2f}M")
optimizer = torch.optim.AdamW(
    model.parameters(), lr=learning_rate, betas=(beta1, beta2), weight_decay=weight_decay
)

iter_num, best_val_loss, t0 = 0, 1e9, time.time()
X, Y = get_batch("train")
while True:
    for group in optimizer.param_groups:
        group["lr"] = get_lr(iter_num) if decay_lr else learning_rate
    if iter_num % eval_interval == 0:
        losses = estimate_loss()
        print(f"step {iter_num}: train loss {losses['train']:.4f}, val loss {losses['val']:.4f}")
        if losses["val"] < best_val_loss or always_save_checkpoint:
            best_val_loss = losses["val"]
            if iter_num > 0:
                print(f"saving checkpoint to {out_dir}")
                torch.save({"model": model.state_dict(), "config": config}, Path(out_dir) / "ckpt.pt")
    if iter_num == 0 and eval_only:
        break
    _, loss = model(X, Y)
    X, Y = get_batch("train")
    loss.backward()
    if grad_clip != 0.0:
        torch.nn.utils.clip_grad_norm_(model.parameters(), grad_clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    t1 = time.time()
    dt, t0 = t1 - t0, t1
    if iter_num % log_interval == 0:
        print(f"iter {iter_num}: loss {loss.item():.4f}, time {dt * 1000:.2f}ms, mfu {-100:.2f}%")
    iter_num += 1
    if iter_num > max_iters:
        break
