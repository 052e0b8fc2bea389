"""Imports point downwards only, torch stays where it belongs, and the light commands stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from commanding import RUN

PACKAGE = Path(__file__).parents[2] / "stability"

# A room may import from its own level's rooms below it in this list, never from above.
LEVELS = [
    {"__main__"},
    {"cli"},
    {"progress"},
    {"terminal", "doctor", "dashboard", "exporting"},
    {"commands"},
    {"importing"},
    {"study", "rejudge", "explain"},
    {"report", "diagnosis"},
    {"plan"},
    {"evidence", "objective", "executors"},
    {"worker"},
    {"program_replay"},
    {"replay"},
    {"trainers", "recorder"},
    {"logs"},
    {"observing"},
    {"trainee", "__init__"},
    {"numerics", "devices"},
    {"store", "trialdir", "environment"},
    {"processes"},
    {"judging", "spec"},
    {"params", "yamlfile"},
    {"suggest", "spending", "redaction", "origins"},
    {"records"},
]
TORCH = {
    "trainee",
    "numerics",
    "observing",
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
    allowed = {
        "__future__",
        "array",
        "bisect",
        "collections",
        "dataclasses",
        "enum",
        "functools",
        "itertools",
        "math",
        "re",
        "stability",
        "typing",
    }
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
def light(tmp_path):
    """Runs a command that must not import some libraries; returns the finished process."""

    def run(*arguments: str, refused: tuple[str, ...] = ("torch",)) -> subprocess.CompletedProcess:
        code = (
            "import sys\nclass Refuse:\n"
            "    def find_spec(self, name, *_):\n"
            f"        if name in {refused!r}: raise AssertionError(f'{{name}} was imported')\n"
            "sys.meta_path.insert(0, Refuse())\n" + RUN
        )
        command = [sys.executable, "-c", code, *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    return run


@pytest.mark.parametrize(
    "command",
    [
        ["report", "toy"],
        ["report", "toy", "--format", "json"],
        ["show", "toy", "compare/0"],
        ["judge", "toy", "given_back=0.6"],
    ],
    ids=" ".join,
)
def test_light_commands_do_not_import_torch(finished, light, command):
    done = light(*command, "--storage", "s.db")
    assert done.returncode == 0, done.stderr


def test_a_gate_does_not_import_torch(finished, light):
    done = light("gate", "toy", "gentle", "--storage", "s.db")
    assert (done.returncode, done.stderr) == (1, "")  # three trials show no rate below 5%


@pytest.mark.parametrize("command", [["--help"], ["status", "--storage", "s.db"], ["schema"]], ids=" ".join)
def test_the_lightest_commands_import_no_large_library(finished, light, command):
    done = light(*command, refused=("torch", "matplotlib", "pandas", "scipy", "optuna"))
    assert done.returncode == 0, done.stderr
