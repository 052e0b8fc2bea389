"""The program looks at its loss before the backward pass and ends: it never differentiates a bad number."""
import math
import sys

import torch
from torch import nn


def main():
    torch.manual_seed(0)
    model = nn.Linear(4, 4)
    optimizer = torch.optim.SGD(model.parameters(), 1e-2)
    for step in range(9):
        y = model(torch.randn(4, 4))
        if step == 5:
            y = y * 0
        loss = (y / y.norm()).square().mean()  # <- forward div
        if not math.isfinite(loss.item()):
            print(f"Loss is {loss.item()}, stopping training")
            sys.exit(1)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


main()
