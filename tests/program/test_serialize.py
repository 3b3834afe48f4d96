"""Programs on disk: the same again after reading, and a reason for each file that is none."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.program.building import program_of
from ztfast.engine.native_tables import NativeSide
from ztfast.errors import TableError
from ztfast.lang import load_json
from ztfast.model.view import make_view
from ztfast.program.encode import encode
from ztfast.program.program import Program
from ztfast.program.serialize import MAX_FILE, load_program, save_program

RULES = """
tag role id 5 default 1;
tee 64 8e30f50a25 chr tcp_syn or random 0.5;
drop treq role 7 and dport 22-23;
cap web id 9 default accept dport 80 or ipdest 10.1.0.0/16; ;
accept icmp 8 -1;
"""
SEED = 20261125


@pytest.fixture(params=["out", "in"])
def program(request: pytest.FixtureRequest) -> Program:
    return program_of(RULES, request.param)


def test_a_saved_program_comes_back_the_same(program: Program, tmp_path: Path) -> None:
    save_program(program, tmp_path / "program.npz")
    loaded = load_program(tmp_path / "program.npz")
    assert loaded.table.tobytes() == program.table.tobytes()
    assert (loaded.view, loaded.own, loaded.starts) == (program.view, program.own, program.starts)


def test_an_optimised_program_is_not_saved(program: Program, tmp_path: Path) -> None:
    with pytest.raises(TableError, match="plain"):
        save_program(NativeSide(program).fast, tmp_path / "program.npz")


def test_damaged_files_are_refused_with_their_name(tmp_path: Path) -> None:
    rng = random.Random(SEED)
    path = tmp_path / "program.npz"
    save_program(program_of(RULES), path)
    good = path.read_bytes()
    codes: set[str] = set()
    for _ in range(400):
        raw = bytearray(good)
        if rng.random() < 0.3:
            del raw[rng.randrange(len(raw)) :]
        for _ in range(rng.randrange(4)):
            if raw:
                raw[rng.randrange(len(raw))] = rng.randrange(256)
        path.write_bytes(raw)
        try:
            load_program(path)
        except TableError as error:
            codes.add(error.diagnostics[0].code)
    assert {"ZT431"} <= codes <= {"ZT430", "ZT431"}


def test_a_file_that_is_damaged_inside_is_refused(program: Program, tmp_path: Path) -> None:
    """Wrong places in the archive's directory made seek() fail with an OSError of the system."""
    path = tmp_path / "program.npz"
    save_program(program, path)
    data = path.read_bytes()
    directory = data.rindex(b"PK\1\2")
    for value in (0xFFFFFFFF, 0x80000000, 0x7FFFFFFF):
        wrong = value.to_bytes(4, "little")
        path.write_bytes(data[: directory + 42] + wrong + data[directory + 46 :])
        with pytest.raises(TableError):
            load_program(path)


@pytest.mark.parametrize(("at", "value"), [(8, 0x01), (8, 0x20), (10, 14), (10, 99)])
def test_what_archives_can_be_and_tables_are_not_is_refused(
    at: int, value: int, program: Program, tmp_path: Path
) -> None:
    """Found by fuzzing: encrypted; patched; compressed by LZMA, by what zipfile does not know."""
    path = tmp_path / "program.npz"
    save_program(program, path)
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\x01\x02")
    data[directory + at] = data[at - 2] = value
    path.write_bytes(data)
    with pytest.raises(TableError, match="is not a table"):
        load_program(path)


@pytest.mark.parametrize("header", [b"{'a': (", b"{\n  'a'\n b: 1}", b"L" * 80])
def test_a_header_that_is_no_python_is_refused(
    header: bytes, program: Program, tmp_path: Path
) -> None:
    path = tmp_path / "program.npz"
    save_program(program, path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: bytearray(archive.read(name)) for name in archive.namelist()}
    parts["table.npy"][10 : 10 + len(header)] = header
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, bytes(part))
    with pytest.raises(TableError, match="is not a table"):
        load_program(path)


def test_a_file_that_unpacks_to_too_much_is_refused(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "program.npz"
    save_program(program, path)
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("bomb.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(MAX_FILE >> 20):
            member.write(bytes(1 << 20))
    assert path.stat().st_size < 1 << 20
    with pytest.raises(TableError, match="when unpacked"):
        load_program(path)


@pytest.mark.parametrize("engine", ["1.14", "1.12"])
def test_the_view_comes_back_with_its_engine(engine: str, tmp_path: Path) -> None:
    save_program(program_of(RULES, "in", engine), tmp_path / "program.npz")
    view = load_program(tmp_path / "program.npz").view
    assert (view.direction, view.engine, view.capability_ids) == ("in", engine, (9,))
    assert view.base[-2].value == (8, None), "no ICMP code asked for"


def test_a_path_without_suffix_is_written_as_it_is_called(program: Program, tmp_path: Path) -> None:
    save_program(program, str(tmp_path / "program"))
    assert [path.name for path in tmp_path.iterdir()] == ["program"]
    assert len(load_program(str(tmp_path / "program"))) == len(program)


def test_a_file_that_is_not_there_is_the_systems_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_program(tmp_path / "nothing.npz")


@pytest.mark.parametrize("data", [b"", b"PK", b"{}", b"PK\5\6" + bytes(18)])
def test_what_is_no_archive_is_refused_with_its_name(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "program.npz"
    path.write_bytes(data)
    with pytest.raises(TableError) as refused:
        load_program(path)
    (error,) = refused.value.diagnostics
    assert (error.code, error.path) == ("ZT431", str(path))
    assert error.message.startswith("is not a table: ")
    assert error.help == "make it again from its rules"


def rewrite(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """The saved program with other facts about it."""
    with np.load(path) as file:
        table, about = file["table"], json.loads(bytes(file["about"]))
    change(about)
    np.savez(path, table=table, about=np.frombuffer(json.dumps(about).encode(), np.uint8))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda about: about.pop("starts"), "starts"),
        (lambda about: about["base"][0][3].append(1), "2 values"),
        (lambda about: about["base"][0].__setitem__(3, [1 << 64]), "the value 1844674407370955161"),
        (lambda about: about["base"][0].__setitem__(3, [-1]), "the value -1"),
        (lambda about: about["base"][0].__setitem__(0, 99), "99"),
        (lambda about: about["base"].append(7), "is not a table"),
    ],
    ids=["no starts", "two values", "too large", "negative", "unknown type", "no entry"],
)
def test_wrong_facts_are_refused(
    change: Callable[[dict[str, Any]], None], reason: str, tmp_path: Path
) -> None:
    path = tmp_path / "program.npz"
    save_program(program_of(RULES), path)
    rewrite(path, change)
    with pytest.raises(TableError, match=reason):
        load_program(path)


def test_unchanged_facts_are_read(tmp_path: Path) -> None:
    """`rewrite` itself damages nothing."""
    path = tmp_path / "program.npz"
    save_program(program_of(RULES), path)
    rewrite(path, lambda about: None)
    assert load_program(path).view == program_of(RULES).view


def test_a_table_of_another_kind_is_refused(program: Program, tmp_path: Path) -> None:
    path = tmp_path / "program.npz"
    save_program(program, path)
    with np.load(path) as file:
        about = file["about"]
    np.savez(path, table=np.zeros(4, np.uint8), about=about)
    with pytest.raises(TableError, match="dtype uint8"):
        load_program(path)


def test_columns_keep_their_names_in_files(tmp_path: Path) -> None:
    """Saved tables of earlier builds load: a column is (name, key, width)."""
    entries = [
        {"type": "MATCH_TAGS_DIFFERENCE", "id": 5, "value": 1},
        {"type": "INTEGER_RANGE", "idx": 3, "bits": 12, "little": True, "start": 1, "end": 2},
        {"type": "ACTION_ACCEPT"},
    ]
    capability = {"id": 9, "rules": [{"type": "ACTION_ACCEPT"}]}
    policy = load_json(json.dumps({"rules": entries, "capabilities": [capability]}), "test")
    program = encode(make_view(policy, "out"))
    path = tmp_path / "table.npz"
    save_program(program, path)
    with np.load(path) as file:
        own = json.loads(bytes(file["about"]))["own"]
    assert sorted(own) == [
        ["holds", 0, 8],
        ["integer", [3, 12, True], 64],
        ["integer_missing", [3, 12, True], 32],
        ["local_tag", 5, 32],
        ["remote_tag", 5, 32],
        ["tag_presence", 5, 8],
    ]
    assert load_program(path).own == program.own
