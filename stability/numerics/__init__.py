"""What numbers give a failing run away: pure detectors here, tensors only where a module says so."""
