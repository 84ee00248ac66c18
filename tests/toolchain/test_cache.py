"""The store of objects: damage is noticed, races are harmless, and a folder that cannot be used is no obstacle."""
from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time

import pytest

from graphcore.compiler import cache
from graphcore.compiler.launch import KernelSource
from graphcore.compiler.toolchain import compile as compiling
from graphcore.compiler.toolchain import workers
from graphcore.compiler.toolchain.build import kernel_ir
from graphcore.compiler.toolchain.cpu import host
from graphcore.compiler.toolchain.naming import symbol
from graphcore.errors import CompileError


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def kernels(count: int, note: str = "k") -> list:
    return [KernelSource(f"{note}{i}", f"def {note}{i}(args, begin, end, worker):\n"
                         f"    store(ptr_i64(args[0]), 0, {i})\n") for i in range(count)]


def test_what_was_stored_is_loaded(own_folder):
    cache.store_object("a" * 64, b"\x7fELF content")
    cache.store_json("programs", "b" * 64, {"rows": [1, 2], "name": "ü"})
    assert cache.load_object("a" * 64) == b"\x7fELF content"
    assert cache.load_json("programs", "b" * 64) == {"rows": [1, 2], "name": "ü"}
    assert cache.load_object("c" * 64) is None and cache.load_json("programs", "a" * 64) is None
    assert own_folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("damage", [
    lambda content: content[:-1],
    lambda content: content[:20],
    lambda content: b"",
    lambda content: content[:-3] + b"xxx",
    lambda content: b"graphcore-cache-0 " + content[18:],
    lambda content: content + b"more",
])
def test_damaged_entries_count_as_missing(own_folder, damage):
    cache.store_object("k", b"0123456789")
    path = own_folder / "objects" / "k.o"
    path.write_bytes(damage(path.read_bytes()))
    assert cache.load_object("k") is None


def test_a_damaged_object_is_compiled_anew(own_folder):
    [source] = kernels(1)
    [image] = compiling.objects([source]).values()
    [path] = (own_folder / "objects").glob("*.o")
    path.write_bytes(path.read_bytes()[:100])
    assert list(compiling.objects([source]).values()) == [image]
    assert cache.load_object(cache.object_key(source, host())) == image


def test_a_folder_that_cannot_be_written_is_no_obstacle(monkeypatch, tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    monkeypatch.setenv("GRAPHCORE_CACHE_DIR", str(blocked))
    cache.store_json("programs", "k", 1)
    assert cache.load_json("programs", "k") is None
    assert list(compiling.objects(kernels(1))) == [symbol(kernels(1)[0])]


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="about Unix permissions")
def test_a_folder_that_others_can_write_is_not_trusted(own_folder):
    cache.store_object("k", b"code")
    own_folder.chmod(0o777)
    assert cache.load_object("k") is None


def test_racing_processes_leave_whole_entries(own_folder, tmp_path):
    script = ("import sys; from graphcore.compiler import cache\n"
              "for i in range(40):\n"
              "    cache.store_object(f'k{i % 5}', bytes([i % 5]) * 100_000)\n"
              "    content = cache.load_object(f'k{i % 5}')\n"
              "    assert content == bytes([i % 5]) * 100_000, i\n")
    environment = dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path))
    racing = [subprocess.Popen([sys.executable, "-c", script], env=environment, cwd=tmp_path) for _ in range(3)]
    assert [process.wait(60) for process in racing] == [0, 0, 0]
    assert {path.name for path in (own_folder / "objects").iterdir()} == {f"k{i}.o" for i in range(5)}


def test_the_entries_longest_unused_are_pruned(own_folder):
    for age, name in enumerate(("new", "middle", "old")):
        cache.store_object(name, bytes(1000))
        path = own_folder / "objects" / f"{name}.o"
        os.utime(path, (time.time() - age * 1000,) * 2)
    cache.prune(limit=2500)
    assert cache.load_object("old") is None and cache.load_object("new") is not None


def test_keys_depend_on_text_cpu_and_nothing_else(monkeypatch):
    one, two = kernels(2)
    keys = {cache.object_key(one, host()), cache.object_key(two, host())}
    assert len(keys) == 2 and cache.object_key(kernels(1)[0], host()) in keys
    assert cache.digest("ab", "c") != cache.digest("a", "bc")


def test_workers_compile_what_this_process_would(monkeypatch):
    monkeypatch.setenv("GRAPHCORE_COMPILE_WORKERS", "1")
    sources = kernels(6, "w")
    made = compiling.objects(sources)
    assert set(made) == {symbol(source) for source in sources}
    [worker] = workers.borrow(1)
    first = symbol(sources[0])
    try:
        text = kernel_ir(sources[0], host())
        assert worker.assemble(text, (first,), host()) == made[first]
        with pytest.raises(CompileError, match="no code generator"):
            worker.assemble(text, (first,), dataclasses.replace(host(), triple="unheard-of"))
        worker.process.kill()
        with pytest.raises(ConnectionError):
            worker.assemble(text, (first,), host())
    finally:
        workers.give_back([worker])


def test_workers_import_neither_numba_nor_numpy():
    code = ("import sys; from graphcore.compiler.toolchain import worker, assemble; "
            "print({'numba', 'numpy'} & set(sys.modules))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env=dict(os.environ, PYTHONPATH=os.pathsep.join(sys.path)))
    assert done.stdout.strip() == "set()"


def test_a_lost_worker_loses_no_kernel(monkeypatch):
    monkeypatch.setenv("GRAPHCORE_COMPILE_WORKERS", "1")

    class Lost(workers.Worker):
        def assemble(self, text, exported, cpu):
            self.process.kill()
            return super().assemble(text, exported, cpu)

    lost = Lost()
    monkeypatch.setattr(workers, "borrow", lambda count: [lost])
    sources = kernels(5, "l")
    assert len(compiling.objects(sources)) == 5


def test_one_bad_kernel_is_reported_and_the_others_are_kept(monkeypatch):
    monkeypatch.setenv("GRAPHCORE_COMPILE_WORKERS", "0")
    good = kernels(2, "g")
    bad = KernelSource("bad", "def bad(args, begin, end, worker):\n    nonsense()\n")
    with pytest.raises(CompileError, match="kernel bad"):
        compiling.objects([*good, bad])
    assert compiling.cached_objects(compiling.object_keys(good)) is not None
    assert compiling.cached_objects(compiling.object_keys([*good, bad])) is None
