"""x / ||x|| of an embedding that is padding: 0 / 0."""
import torch
from torch import nn

torch.manual_seed(0)
table = nn.Embedding(20, 8, padding_idx=0)
head = nn.Linear(8, 2)
optimizer = torch.optim.Adam([*table.parameters(), *head.parameters()], 1e-3)
for step in range(6):
    ids = torch.randint(1, 20, (4,))
    if step == 3:
        ids[2] = 0
    vectors = table(ids)
    unit = vectors / vectors.norm(dim=-1, keepdim=True)  # <- forward div
    loss = nn.functional.cross_entropy(head(unit), ids % 2)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    print(step, loss.item())
