"""The built-in TTS trainee: corpus, features, model, losses, training. Importing it imports no torch."""
