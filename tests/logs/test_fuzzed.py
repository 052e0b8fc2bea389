"""Whatever a program prints or writes, it is kept byte for byte, and reading it never raises."""

import contextlib
import random
import sys

import pytest

from stability.logs.sources import Sources
from stability.records import StopTrial
from stability.spec.command import Parse
from stability.trainers.program import Program

TEXT = [r"step (?P<step>\d+).*?loss=(?P<mel>\S+)", r"epoch (?P<epoch>\S+)", r"lr=(?P<lr>.*)"]
PIECES = [
    b"step 3 loss=0.5\n", b"loss=", b"nan", b"-inf", b"\r", b"\n", b"\0", b"\xff\xfe", b"\xe2\x88", b"\x1b[31", b"\x1b]0;",
    b"step 99999999999999999999999 loss=1e400\n", b'{"step": 1, "mel": NaN}\n', b'{"mel": ', b"[" * 2000, b"step,mel\n",
    b"0,0.5\n", b'"', b",,,\n", b"lr=\n", b"epoch 1e300\n", b"epoch nan\n", b"step -5 loss=1\n", b"\xf0\x9f\x98", b"x" * 70_000,
]  # fmt: skip


class Judge:
    """A recorder that stops a trial at its first step that is not finite, as the real one may."""

    def __init__(self) -> None:
        self.last = -1

    def step(self, losses, *, step, **_):
        assert step > self.last
        self.last = step

    def evaluate(self, losses, epoch):
        assert epoch >= -1


def read(printed: list[bytes], folder, written: bytes) -> None:
    parse = Parse.model_validate(
        {
            "stdout": {"train": TEXT, "evaluate": [r"val (?P<mel>\S+)"]},
            "csv": {"path": "m.csv", "train": {"mel": "mel"}},
            "jsonl": "m.jsonl",
        }
    )
    paths = {"csv": folder / "m.csv", "jsonl": folder / "m.jsonl"}
    sources = Sources(parse, paths, Judge(), ["mel"])
    with contextlib.suppress(StopTrial):
        for i, piece in enumerate(printed):
            sources.printed("stdout", piece)
            if i % 3 == 0:
                for path in paths.values():
                    path.write_bytes(written[: len(written) * i // len(printed)])
                sources.look()
                sources.quiet()
        sources.finish()
    sources.problem()
    list(sources.notes())


@pytest.mark.parametrize("seed", range(60))
def test_logs_of_random_pieces_are_read_to_their_end(tmp_path, seed):
    rng = random.Random(seed)
    printed = [rng.choice(PIECES) for _ in range(rng.randrange(1, 200))]
    printed += [rng.randbytes(rng.randrange(5000)) for _ in range(5)]
    rng.shuffle(printed)
    read(printed, tmp_path, b"".join(rng.choice(PIECES) for _ in range(100)))


def test_a_line_of_ten_megabytes_takes_no_more_memory_than_its_beginning(tmp_path):
    read([b"loss=1" + b"0" * 10_000_000, b"\nstep 4 loss=0.5\n"], tmp_path, b"0," * 5_000_000)


@pytest.mark.parametrize("lines", [1, 40_000])
def test_all_that_a_program_prints_is_kept(tmp_path, lines):
    code = (
        "import sys\n"
        f"for i in range({lines}):\n"
        "    sys.stdout.buffer.write(b'out\\0\\xff %d\\n' % i)\n"
        "    sys.stderr.buffer.write(b'err %d\\r' % i)\n"
    )
    path = tmp_path / "log"
    with path.open("wb") as log, Program([sys.executable, "-c", code], tmp_path, {}, log) as program:
        for _ in program.output():
            pass
    kept = path.read_bytes()
    assert program.status == 0
    assert kept.count(b"out\0\xff ") == kept.count(b"err ") == lines
    assert len(kept) == sum(len(f"out__ {i}\nerr {i}\r") for i in range(lines))
