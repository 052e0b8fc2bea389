"""Corpora in LJSpeech layout, embedded or the user's own: finding and checking them.

`FOLDER/metadata.csv` holds `id|text` or `id|text|normalised` lines, `FOLDER/wavs/ID.wav` the audio.
The last `EVALUATION_UTTERANCES` lines are held out. No torch here; features are made in
`stability.trainee.features`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from stability.records import UserError
from stability.suggest import suggest
from stability.trainee.audio import BadWav, checked_wav

EMBEDDED = ("en", "fa")
EVALUATION_UTTERANCES = 8
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Utterance:
    """One sentence: its id, the text to be spoken and the file of its audio."""

    id: str
    text: str
    wav: Path


@dataclass(frozen=True, slots=True)
class Corpus:
    """The utterances of one study; `sha256` covers the selected metadata lines and their wavs."""

    name: str
    train: tuple[Utterance, ...]
    evaluation: tuple[Utterance, ...]
    sha256: str


def load_corpus(corpus: str | Path, utterances: int | None = None) -> Corpus:
    """Return the checked corpus `en`, `fa`, or the one in the LJSpeech folder `corpus`.

    `utterances` is the number of training utterances taken from the top (None: all). Every metadata
    line is checked, but only the audio of the selected lines is read. `sha256` is that of the selected
    lines, each ended by a newline, followed by the bytes of their wavs.

    Raises UserError naming everything that is wrong, one `metadata.csv:LINE: problem; fix` a line.
    """
    _check_count(utterances)
    folder = _find_folder(corpus)
    lines = _metadata_lines(folder)
    train, evaluation = lines[:-EVALUATION_UTTERANCES][:utterances], lines[-EVALUATION_UTTERANCES:]
    found, problems = _read_fields(lines, folder)
    digest = hashlib.sha256(b"".join(raw + b"\n" for _, raw in train + evaluation))
    for number, _ in train + evaluation:
        if number in found:
            try:
                digest.update(checked_wav(found[number].wav))
            except BadWav as error:
                problems[number] = f"wavs/{found[number].id}.wav {error}"
    _raise_problems(folder, problems, _shortage(len(lines), utterances))
    chosen = [tuple(found[number] for number, _ in part) for part in (train, evaluation)]
    return Corpus(folder.name, chosen[0], chosen[1], digest.hexdigest())


def _check_count(utterances: int | None) -> None:
    if utterances is None or (type(utterances) is int and utterances > 0):
        return
    raise UserError(f"utterances must be a positive integer, not {utterances!r}; leave it out to take all")


def _find_folder(corpus: str | Path) -> Path:
    """Return the folder of an embedded corpus or of the user's; `./en` means a folder, `en` does not."""
    if corpus in EMBEDDED:
        return Path(__file__).parent / "corpora" / str(corpus)
    folder = Path(corpus).expanduser().absolute()
    if folder.is_dir():
        return folder
    found = "it is not a folder" if folder.exists() else "there is no such folder"
    hint = suggest(corpus, [*EMBEDDED, "the path of an LJSpeech folder"])
    raise UserError(f"unknown corpus {str(corpus)!r}, {found}{hint}")


def _metadata_lines(folder: Path) -> list[tuple[int, bytes]]:
    """Return (line number, line) of `metadata.csv`, without byte-order mark, line ends and blank tail."""
    path = folder / "metadata.csv"
    if not path.is_file():
        raise UserError(f"{path}: no such file; a corpus folder holds metadata.csv (id|text) and wavs/")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check its permissions") from None
    lines = [line.rstrip(b"\r") for line in content.removeprefix(_UTF8_BOM).split(b"\n")]
    while lines and not lines[-1].strip():
        lines.pop()
    return list(enumerate(lines, start=1))


def _read_fields(lines: list[tuple[int, bytes]], folder: Path) -> tuple[dict[int, Utterance], dict[int, str]]:
    """Return the utterance of every good line and the problem of every bad one, by line number."""
    found: dict[int, Utterance] = {}
    problems: dict[int, str] = {}
    first_line: dict[str, int] = {}
    for number, raw in lines:
        try:
            fields = _decoded(raw).split("|")
        except UnicodeDecodeError as error:
            problems[number] = f"not UTF-8 (byte 0x{raw[error.start]:02X}); save the file as UTF-8"
            continue
        problem = _field_problem(fields, first_line)
        first_line.setdefault(fields[0], number)
        if problem is None:
            found[number] = Utterance(fields[0], fields[-1].strip(), folder / "wavs" / f"{fields[0]}.wav")
        else:
            problems[number] = problem
    return found, problems


def _decoded(raw: bytes) -> str:
    """Return a line's text; a NUL is what UTF-16 looks like to a reader of UTF-8, so it is refused."""
    if b"\0" in raw:
        raise UnicodeDecodeError("utf-8", raw, raw.index(b"\0"), raw.index(b"\0") + 1, "NUL")
    return raw.decode("utf-8")


def _field_problem(fields: list[str], first_line: dict[str, int]) -> str | None:
    if len(fields) not in (2, 3):
        count = f"{len(fields)} field" + "s" * (len(fields) != 1)
        return f"{count}, expected 2 or 3; write 'id|text' or 'id|text|normalised'"
    if not fields[0].strip():
        return "empty id; name the wav (without '.wav') in the first field"
    if fields[0] in first_line:
        return f"duplicate id {fields[0]!r}, first in line {first_line[fields[0]]}; rename one or remove it"
    if not all(field.strip() for field in fields[1:]):
        return f"empty text; write what {fields[0]!r} says or remove the line"
    return None


def _shortage(lines: int, utterances: int | None) -> str | None:
    """Return what to say when the corpus is too small for what was asked."""
    training = utterances or 1
    needed = training + EVALUATION_UTTERANCES
    if lines >= needed:
        return None
    split = f"{training} for training and the last {EVALUATION_UTTERANCES} for evaluation"
    if lines > EVALUATION_UTTERANCES:
        fix = f"set utterances to {lines - EVALUATION_UTTERANCES} or less, or add lines"
    else:
        fix = f"add at least {needed - lines} more"
    return f"metadata.csv: {lines} utterances found, {needed} needed ({split}); {fix}"


def _raise_problems(folder: Path, problems: dict[int, str], shortage: str | None) -> None:
    messages = [f"metadata.csv:{number}: {problems[number]}" for number in sorted(problems)]
    if shortage is not None:
        messages.append(shortage)
    if messages:
        raise UserError("\n".join([f"bad corpus {folder} ({len(messages)} to fix):", *messages]))
