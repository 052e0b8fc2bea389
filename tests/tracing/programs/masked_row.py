"""Attention by hand over an item that is padding throughout: softmax of a row of nothing but -inf."""
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24)

    def forward(self, x, padded):
        q, k, v = self.qkv(x).chunk(3, -1)
        scores = (q @ k.transpose(1, 2)).masked_fill(padded[:, None], float("-inf"))
        return scores.softmax(-1) @ v  # <- forward _softmax


def main():
    torch.manual_seed(0)
    model = Attention()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for step in range(6):
        lengths = torch.tensor([5, 3, 4]) if step != 3 else torch.tensor([5, 0, 4])
        padded = torch.arange(5)[None] >= lengths[:, None]
        out = model(torch.randn(3, 5, 8), padded)
        loss = out[~padded].square().mean() if step != 3 else out.square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(step, loss.item())


if __name__ == "__main__":
    main()
