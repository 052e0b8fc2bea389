"""A tree of settings with attributes, merged from YAML files and from a list of KEY VALUE pairs."""

from ast import literal_eval
from pathlib import Path

import yaml


class CfgNode(dict):
    """A dict whose keys are attributes too. No key can be added after the defaults."""

    def __init__(self, tree):
        super().__init__({k: CfgNode(v) if isinstance(v, dict) else v for k, v in tree.items()})

    def __getattr__(self, name):
        if name not in self:
            raise AttributeError(name)
        return self[name]

    def merge_from_file(self, path):
        tree = yaml.safe_load(Path(path).read_text())
        base = tree.pop("_BASE_", None)
        if base:
            self.merge_from_file(Path(path).parent / base)
        self._merge(tree, "")

    def _merge(self, tree, prefix):
        for key, value in tree.items():
            if isinstance(value, dict):
                self[key]._merge(value, f"{prefix}{key}.")
            else:
                self._set(key, value, f"{prefix}{key}")

    def merge_from_list(self, pairs):
        assert len(pairs) % 2 == 0, f"Override list has odd length: {pairs}; it must be a list of pairs"
        for name, text in zip(pairs[::2], pairs[1::2], strict=True):
            *parents, key = name.split(".")
            node = self
            for parent in parents:
                if parent not in node:
                    raise KeyError(f"Non-existent config key: {name}")
                node = node[parent]
            try:
                value = literal_eval(text)
            except (ValueError, SyntaxError):
                value = text
            node._set(key, value, name)

    def _set(self, key, value, name):
        if key not in self:
            raise KeyError(f"Non-existent config key: {name}")
        old = self[key]
        if isinstance(old, float) and isinstance(value, int):
            value = float(value)
        if isinstance(old, tuple) and isinstance(value, list):
            value = tuple(value)
        if type(old) is not type(value):
            raise ValueError(
                f"Type mismatch ({type(old)} vs. {type(value)}) with values ({old} vs. {value}) for config key: {name}"
            )
        self[key] = value

    def plain(self):
        return {k: v.plain() if isinstance(v, CfgNode) else v for k, v in self.items()}


def get_cfg():
    return CfgNode(
        {
            "MODEL": {"WIDTH": 64, "NUM_CLASSES": 5, "WEIGHTS": ""},
            "SOLVER": {
                "BASE_LR": 0.001,
                "MAX_ITER": 40000,
                "IMS_PER_BATCH": 16,
                "MOMENTUM": 0.9,
                "STEPS": (30000,),
                "GAMMA": 0.1,
                "WARMUP_ITERS": 1000,
                "WARMUP_FACTOR": 0.001,
                "CHECKPOINT_PERIOD": 5000,
            },
            "SEED": -1,
            "OUTPUT_DIR": "./output",
        }
    )
