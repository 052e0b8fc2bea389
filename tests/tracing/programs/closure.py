"""LBFGS runs the backward pass in its own step."""
import torch

torch.manual_seed(0)
weight = torch.nn.Parameter(torch.tensor([2.0, 3.0]))
optimizer = torch.optim.LBFGS([weight], lr=1.0, max_iter=4)
for step in range(4):

    def closure():
        optimizer.zero_grad()
        loss = (torch.log(weight - (1.9 if step < 2 else 1e6)) ** 2).sum()  # <- forward log
        loss.backward()
        return loss

    print(step, optimizer.step(closure).item())
