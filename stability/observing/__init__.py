"""Watches an unchanged PyTorch program from its start-up on, and finds where its first number broke.

Rooms: `startup` is the folder that Python finds first, and waits for torch; `torch_hooks` is told by torch of
every backward pass and update, and holds all that is private there; `iterations` counts; `recording` notes
the numbers of each iteration; `finiteness` looks at tensors. `sleepers` are forked copies of the process that
a bad number wakes; `budget` says how often there is a new one; `quarantine` what a copy may not do; `search`
is what it does; `observer` holds all of this together. `launch` prepares a program's environment and
`findings` is what a process tells the command, both without torch.
Nothing in here changes a number of the program.
"""
