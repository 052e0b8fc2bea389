"""One room for each command that is more than a call: what a command does with its arguments."""
