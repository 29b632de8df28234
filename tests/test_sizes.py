"""Files and functions stay short enough to be read in one go."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE_LINES = 300
FUNCTION_LINES = 40
TASK_LINES = 8
TASK_DECORATORS = {"shared_task", "task"}
FILES = sorted(
    path
    for folder in ("apps", "config")
    for path in (ROOT / folder).rglob("*.py")
    if "migrations" not in path.relative_to(ROOT).parts
)


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def is_task(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    for decorator in function.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
        if name in TASK_DECORATORS:
            return True
    return False


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def too_long(source: str) -> list[str]:
    """What breaks a cap in this source."""
    found = []
    if (lines := len(source.splitlines())) > FILE_LINES:
        found.append(f"file: {lines} lines, {FILE_LINES} allowed")
    for function in functions(ast.parse(source)):
        length = (function.end_lineno or 0) - function.lineno + 1
        if length > FUNCTION_LINES:
            found.append(f"{function.name}: {length} lines, {FUNCTION_LINES} allowed")
        if is_task(function) and body_lines(function) > TASK_LINES:
            found.append(f"task {function.name}: {body_lines(function)} lines, {TASK_LINES} allowed")
    return found


def test_files_functions_and_tasks_are_short() -> None:
    found = {str(path.relative_to(ROOT)): too_long(path.read_text(encoding="utf-8")) for path in FILES}
    assert {path: faults for path, faults in found.items() if faults} == {}


def test_the_caps_notice_what_is_too_long() -> None:
    assert too_long("x = 1\n" * 301)
    assert too_long("def f():\n" + "    x = 1\n" * 40)
    assert not too_long("def f():\n" + "    x = 1\n" * 39)
    assert too_long('@shared_task(name="a")\ndef f():\n' + "    x = 1\n" * 9)
    assert not too_long('@shared_task(name="a")\ndef f():\n    """Text."""\n' + "    x = 1\n" * 8)
