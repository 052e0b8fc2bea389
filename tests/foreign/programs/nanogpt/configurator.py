"""Takes config files and --key=value from the command line into train.py's globals, which it is exec'd in."""

import sys
from ast import literal_eval
from pathlib import Path

for _argument in sys.argv[1:]:
    if "=" not in _argument:  # a file of overrides
        assert not _argument.startswith("--")
        print(f"Overriding config with {_argument}:")
        _overrides = Path(_argument).read_text()
        print(_overrides)
        exec(_overrides)
        continue
    assert _argument.startswith("--")
    _key, _given = _argument[2:].split("=")
    if _key not in globals():
        raise ValueError(f"Unknown config key: {_key}")
    try:
        _value = literal_eval(_given)
    except (SyntaxError, ValueError):
        _value = _given  # a string
    assert type(_value) is type(globals()[_key])
    print(f"Overriding: {_key} = {_value}")
    globals()[_key] = _value
