"""Imports point downwards only, torch stays where it belongs, and the light commands stay light."""

import ast
import resource
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "stability"

# A room may import from its own level's rooms below it in this list, never from above.
LEVELS = [
    {"__main__"},
    {"cli"},
    {"progress"},
    {"terminal", "doctor", "dashboard", "exporting"},
    {"starting"},
    {"importing"},
    {"study", "rejudge", "explain"},
    {"report", "diagnosis"},
    {"plan"},
    {"evidence", "objective", "executors"},
    {"worker"},
    {"replay"},
    {"trainers", "recorder"},
    {"trainee", "__init__"},
    {"numerics", "devices"},
    {"store", "trialdir", "environment"},
    {"processes"},
    {"judging", "spec"},
    {"params", "yamlfile"},
    {"suggest", "spending", "redaction"},
    {"records"},
]
TORCH = {
    "trainee",
    "numerics",
    "replay",
    "devices",
    "doctor",
}  # doctor reports the version and the devices it finds
OPTUNA = {"study", "plan", "dashboard", "store", "objective", "importing"}
CALLBACKS = {"lightning": "lightning", "pytorch_lightning": "lightning", "transformers": "transformers"}
SQL = {"store", "study"}  # study only names the database's exceptions


def modules():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE), ast.parse(path.read_text())


def room(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


def imported(tree: ast.AST):
    """Every absolute module name imported anywhere in a file, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            yield from (
                [f"{node.module}.{a.name}" for a in node.names]
                if node.module == "stability"
                else [node.module]
            )


def level(name: str) -> int:
    found = [i for i, rooms in enumerate(LEVELS) if name in rooms]
    assert found, f"{name} has no level: say where it belongs"
    return found[0]


def test_imports_point_downwards():
    for path, tree in modules():
        for name in imported(tree):
            if not name.startswith("stability."):
                continue
            target = name.split(".")[1]
            if not any(target in rooms for rooms in LEVELS):
                target = "__init__"  # a name defined in the package itself
            if target != room(path):
                assert level(target) > level(room(path)), f"{path} imports {name}"


@pytest.mark.parametrize(
    ("library", "allowed"),
    [("torch", TORCH), ("optuna", OPTUNA), ("optuna_dashboard", {"dashboard"}), ("sqlalchemy", SQL)],
)
def test_libraries_stay_in_their_rooms(library, allowed):
    users = {
        room(path) for path, tree in modules() for name in imported(tree) if name.split(".")[0] == library
    }
    assert users and users <= allowed


def test_judging_reads_numbers_only():
    """No torch, no frames, no files: the same rules run in a training process and over a database."""
    allowed = {"__future__", "array", "bisect", "collections", "dataclasses", "math", "stability", "typing"}
    for path in sorted((PACKAGE / "judging").rglob("*.py")):
        names = {name.split(".")[0] for name in imported(ast.parse(path.read_text()))}
        assert names <= allowed, path


def test_only_figures_draw():
    users = {
        str(path.parent)
        for path, tree in modules()
        for name in imported(tree)
        if name.split(".")[0] in ("matplotlib", "PIL")
    }
    assert users == {"report/figures"}


@pytest.mark.parametrize("library", CALLBACKS)
def test_other_trainers_stay_in_their_callbacks(library):
    users = {str(path) for path, tree in modules() if library in {n.split(".")[0] for n in imported(tree)}}
    assert users == {f"numerics/callbacks/{CALLBACKS[library]}.py"}


def test_only_the_study_reader_reads_yaml():
    users = {room(path) for path, tree in modules() for name in imported(tree) if name == "yaml"}
    assert users == {"yamlfile"}


@pytest.fixture
def store(run_study, study_file, tmp_path):
    run_study(study_file())
    return str(tmp_path / "s.db")


def run_light(*arguments: str) -> tuple[float, subprocess.CompletedProcess]:
    """Run a command that must not import torch; returns its CPU-seconds and what it printed.

    CPU time, because the wall time of a busy machine says nothing about the command.
    """
    code = (
        "import sys\nclass Refuse:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'torch': raise AssertionError('torch was imported')\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "from stability.cli import main; sys.argv[0] = 'stability'; main()"
    )
    return cpu_s(code, *arguments)


def cpu_s(code, *arguments):
    """The CPU seconds that Python takes for `code`, and what came of it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done


def test_light_commands_do_not_import_torch(store, tmp_path):
    commands = [
        ["--help"],
        ["status", "--storage", store],
        ["report", "toy", "--storage", store, "--out", str(tmp_path)],
        ["report", "toy", "--storage", store, "--out", str(tmp_path), "--format", "json"],
        ["show", "toy", "compare/0", "--storage", store],
        ["judge", "toy", "blow_up_severe=1.5", "--storage", store],
        ["schema"],
    ]
    for command in commands:
        _, done = run_light(*command)
        assert done.returncode == 0, (command, done.stderr)
    _, done = run_light("gate", "toy", "gentle", "--storage", store)
    assert (done.returncode, done.stderr) == (1, "")  # three trials show no rate below 5%


LIBRARIES = "import sqlalchemy, typer, pydantic, yaml, rich.table"


def test_help_and_status_answer_at_once(store):
    """In less than three times what their libraries take; torch alone would take more, on any machine."""
    libraries_s = min(cpu_s(LIBRARIES)[0] for _ in range(5))
    for command in (["--help"], ["status", "--storage", store]):
        fastest_s = min(run_light(*command)[0] for _ in range(5))
        assert fastest_s < 3 * libraries_s, command
