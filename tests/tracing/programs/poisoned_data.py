"""A NaN in a file of the data set."""
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)
x, y = torch.randn(64, 5), torch.randn(64)
x[37, 2] = float("nan")
model = nn.Linear(5, 1)
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for epoch in range(2):
    for a, b in DataLoader(TensorDataset(x, y), batch_size=8):
        loss = (model(a)[:, 0] - b).abs().mean()  # <- external
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        print(epoch, loss.item())
