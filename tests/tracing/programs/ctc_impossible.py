"""CTC whose target is longer than its input."""
import torch
from torch import nn

torch.manual_seed(0)
model = nn.Linear(4, 5)
criterion = nn.CTCLoss()
optimizer = torch.optim.Adam(model.parameters(), 1e-3)
for step in range(5):
    lengths = torch.tensor([8, 8, 3 if step == 3 else 8])
    log_probabilities = model(torch.randn(8, 3, 4)).log_softmax(-1)
    targets = torch.randint(1, 5, (3, 5))
    loss = criterion(log_probabilities, targets, lengths, torch.tensor([5, 5, 5]))  # <- forward _ctc_loss
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
