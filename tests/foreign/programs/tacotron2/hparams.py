"""The settings and their defaults; a comma list of name=value changes them."""


class HParams:
    """Settings as attributes; a value that is given keeps the type of its default."""

    def __init__(self, **defaults):
        self.__dict__.update(defaults)

    def parse(self, text):
        for pair in text.split(","):
            name, sign, value = (part.strip() for part in pair.partition("="))
            if not sign:
                raise ValueError(f"Could not parse hparam value: {pair}")
            if name not in self.__dict__:
                raise ValueError(f"Unknown hyperparameter type for {name}")
            kind = type(self.__dict__[name])
            self.__dict__[name] = value.lower() in ("true", "1") if kind is bool else kind(value)
        return self


def create_hparams(hparams_string=None):
    hparams = HParams(
        # Experiment
        epochs=6,
        iters_per_checkpoint=50,
        seed=1234,
        fp16_run=False,
        distributed_run=False,
        # Audio
        n_mel_channels=20,
        # Model
        n_symbols=30,
        symbols_embedding_dim=32,
        decoder_rnn_dim=64,
        prenet_dim=32,
        # Optimization
        use_saved_learning_rate=False,
        learning_rate=2e-3,
        weight_decay=1e-6,
        grad_clip_thresh=1.0,
        batch_size=16,
    )
    return hparams.parse(hparams_string) if hparams_string else hparams
