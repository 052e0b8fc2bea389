"""What numbers give a failing run away: tensors, and no rule."""
