"""Exit codes, messages and the weight of the command line itself."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_result import Run

from askmask.cli import segment as segment_module
from askmask.cli.main import app

COMMANDS = [
    *("segment", "mask-type", "predict", "evaluate", "build", "author", "stats", "browse"),
    *("compare", "leaderboard", "data", "convert", "train", "doctor"),
    *("complete", "decompose", "evaluate-completer", "models", "serve"),
]


def askmask(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "askmask", *arguments]
    return subprocess.run(command, capture_output=True, text=True, **options)  # type: ignore[call-overload]


class TestHelp:
    @pytest.mark.parametrize(
        "command", [*COMMANDS, "build scenes", "build queries", "build groups"]
    )
    def test_every_command_has_help(self, run: Run, command: str) -> None:
        result = run(*command.split(), "--help")
        assert result.code == 0
        assert f"Usage: askmask {command}" in result.out

    def test_the_list_of_commands_is_complete(self, run: Run) -> None:
        help_text = run("--help").out
        assert all(f" {name} " in help_text for name in COMMANDS)
        registered = len(app.registered_commands) + len(app.registered_groups)
        assert registered == len(COMMANDS)

    def test_version(self, run: Run) -> None:
        assert run("--version").out.startswith("askmask ")

    def test_help_loads_nothing_heavy(self) -> None:
        code = (
            "import sys; sys.argv = ['askmask', '--help']\n"
            "from askmask.cli.main import main\n"
            "try: main()\n"
            "except SystemExit: print(*{name.partition('.')[0] for name in sys.modules})"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        loaded = set(done.stdout.splitlines()[-1].split())
        assert "typer" in loaded  # the check can fail
        heavy = {"torch", "transformers", "onnxruntime", "tokenizers", "cv2", "scipy", "mujoco"}
        assert not heavy & loaded


class TestExitCodes:
    @pytest.mark.parametrize(
        "arguments",
        [
            ["nonsense"],
            ["segment"],
            ["segment", "a.png"],
            ["segment", "a.png", "red", "--mask-type", "inmodal"],
            ["segment", "a.png", "red", "--nonsense"],
            ["build", "nonsense"],
            ["build", "scenes", "--out", "x", "--count", "0"],
            ["build", "scenes", "--out", "x", "--count", "many"],
            ["build", "queries"],
            ["doctor", "too", "many"],
        ],
    )
    def test_a_wrong_command_line_is_2(self, run: Run, arguments: list[str]) -> None:
        result = run(*arguments)
        assert (result.code, result.out) == (2, "")
        assert "Usage: askmask" in result.err

    def test_the_real_command_refuses_in_one_line(self, tmp_path: Path) -> None:
        done = askmask("segment", "missing.png", "the red one", cwd=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("askmask: error: missing.png: ")
        assert done.stderr.count("\n") == 1
        assert list(tmp_path.iterdir()) == []

    def test_a_bug_is_one_line_and_asks_for_a_report(self, run: Run, kitchen: Path) -> None:
        result = run("segment", kitchen, "the red one", "--model", "pointless")
        assert result.code == 1
        assert result.err.startswith("askmask: unexpected error: RuntimeError: a bug in two lines")
        assert "please report" in result.err
        assert result.err.count("\n") == 1

    def test_debugging_shows_the_traceback(
        self, run: Run, kitchen: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ASKMASK_DEBUG", "1")
        with pytest.raises(RuntimeError, match="a bug"):
            run("segment", kitchen, "the red one", "--model", "pointless")

    def test_an_interrupt_is_130(
        self, run: Run, kitchen: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr(segment_module, "_read_references", interrupt)
        result = run("segment", kitchen, "the red one")
        assert (result.code, result.out, result.err) == (130, "", "")

    def test_ctrl_c_is_130(self) -> None:
        code = (
            "import signal, sys; sys.argv = ['askmask', 'mask-type']\n"
            # Where the tests run in the background, children would ignore Ctrl-C.
            "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
            "from askmask.cli.main import main\n"
            "print('ready', flush=True); main()"
        )
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        with subprocess.Popen([sys.executable, "-c", code], **pipes) as process:  # type: ignore[call-overload]
            assert process.stdout.readline() == b"ready\n"
            time.sleep(0.5)  # it waits for a sentence
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        assert (process.returncode, out, err) == (130, b"", b"")

    def test_a_reader_that_leaves_is_no_error(self) -> None:
        command = f"{sys.executable} -m askmask --help | true"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
        assert done.stderr == ""
