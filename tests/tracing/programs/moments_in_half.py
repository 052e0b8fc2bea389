"""The optimizer's state is kept in half precision between two runs; its variables are those of a function."""
import torch
from torch import nn


def main():
    torch.manual_seed(0)
    model = nn.Linear(6, 1)
    optimizer = torch.optim.Adam(model.parameters(), 1e-3)
    for step in range(8):
        if step == 6:
            state = optimizer.state_dict()
            for kept in state["state"].values():
                kept["exp_avg_sq"] = kept["exp_avg_sq"].half().float()  # <- external
            optimizer.load_state_dict(state)
        loss = (model(torch.randn(8, 6)) - 3e6).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(step, loss.item())


main()
