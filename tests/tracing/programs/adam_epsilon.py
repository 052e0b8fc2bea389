"""Adam in half precision: its eps of 1e-8 is 0, and so is the root of a tiny second moment."""
import torch

torch.manual_seed(0)
weight = torch.nn.Parameter(torch.ones(6, dtype=torch.float16))
optimizer = torch.optim.Adam([weight], 1e-3, foreach=False)  # <- optimizer
for step in range(5):
    x = torch.randn(6).half() * (1.0 if step < 3 else 0.0)
    x[0] = 0.0
    loss = (weight * x).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
