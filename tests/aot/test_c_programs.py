"""C programs that use libraries made ahead of time."""
from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

import graphcore as gc
from graphcore.aot.bundle import write_bundle
from graphcore.compiler.aot import library
from graphcore.ir.types import parse_type
from graphcore.train.exporting import exported_graph
from tests.aot.c_programs import build, example_of, has, run
from tests.aot.nets import leaves, made

pytestmark = pytest.mark.skipif(not has("gcc"), reason="gcc is not installed")

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
IMAGES = (parse_type("f32[N,1,28,28]"),)


@pytest.mark.parametrize("compiler", ["gcc", "g++"])
@pytest.mark.parametrize("name, weights, types", [
    ("lenet", "beside", IMAGES), ("recurrent", "inside", ()), ("kinds", "inside", ())])
def test_the_example_in_the_header_is_a_program(bundles, tmp_path, name, weights, types, compiler):
    if not has(compiler):
        pytest.skip(f"{compiler} is not installed")
    folder = bundles(name, weights, types)
    program = build(example_of(folder / f"{name}.h"), tmp_path, [folder / f"{name}.so"], compiler)
    printed = run([program], folder)
    net, inputs = made(name)
    zeros = [type(x)(np.zeros_like(x.asnumpy())) for x in inputs]
    wanted = [f"{float(y.asnumpy().flat[0]):.4g}" for y in leaves(net(*zeros))]
    assert [f"{float(line.split(' = ')[1]):.4g}" for line in printed.splitlines()] == wanted


TWO_MODELS = r"""
#include "lenet.h"
#include "recurrent.h"
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 4, RUNS = 25, IMAGES = 3 };

static float images[IMAGES * 784], steps[60];
typedef struct { float classes[IMAGES * 10], y[84], h[14], c[1]; int status; } results;

static void *work(void *given)
{
    results *r = given, found;
    lenet *net;
    recurrent *loop;
    lenet_options options = { .max_N = IMAGES, .threads = 2, .weights = "lenet.safetensors" };
    recurrent_options own = { .threads = 2 };
    memset(&found, 0, sizeof found);
    r->status = lenet_create(&net, &options) || recurrent_create(&loop, &own);
    if (r->status) return NULL;
    for (int i = 0; i < RUNS; i++) {
        int count = 1 + i % IMAGES;
        found.status = lenet_run(net, count, images, found.classes)
                       || recurrent_run(loop, steps, found.y, found.h, found.c);
        if (count == IMAGES) {
            if (i > IMAGES && memcmp(&found, r, sizeof found)) found.status = 1;
            *r = found;
        }
        r->status |= found.status;
    }
    lenet_destroy(net);
    recurrent_destroy(loop);
    return NULL;
}

int main(void)
{
    static pthread_t threads[THREADS];
    static results found[THREADS];
    if (fread(images, sizeof images, 1, stdin) != 1 || fread(steps, sizeof steps, 1, stdin) != 1) return 2;
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, work, &found[i])) return 3;
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        if (found[i].status || memcmp(&found[i], &found[0], sizeof found[0])) return 4;
    fwrite(&found[0], sizeof found[0], 1, stdout);
    return 0;
}
"""


def test_two_models_in_one_program_on_several_threads(bundles, tmp_path):
    folders = {name: bundles(name, *more) for name, more in (("lenet", ("beside", IMAGES)), ("recurrent", ()))}
    shutil.copy(folders["lenet"] / "lenet.safetensors", tmp_path)
    program = build(TWO_MODELS, tmp_path, [folder / f"{name}.so" for name, folder in folders.items()],
                    options=["-pthread"])
    (net, (images,)), (loop, (steps,)) = made("lenet"), made("recurrent")
    (tmp_path / "in").write_bytes(images.asnumpy().tobytes() + steps.asnumpy().tobytes())
    run(["sh", "-c", f"{program} < in > out"], tmp_path)
    wanted = np.concatenate([v.asnumpy().ravel() for v in leaves((net(images), loop(steps)))])
    found = np.fromfile(tmp_path / "out", np.float32)[:wanted.size]
    np.testing.assert_allclose(found, wanted, 2e-6, 2e-6)


# What allocates is replaced by functions that count: the library's calls come here, too.
COUNTED = r"""
#define _GNU_SOURCE
#include "lenet.h"
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
static volatile long count;
void *malloc(size_t bytes) { count++; return __libc_malloc(bytes); }
void *calloc(size_t n, size_t bytes) { count++; return __libc_calloc(n, bytes); }
void *realloc(void *p, size_t bytes) { count++; return __libc_realloc(p, bytes); }
void *aligned_alloc(size_t a, size_t bytes) { count++; return __libc_memalign(a, bytes); }
void *mmap(void *p, size_t bytes, int protection, int flags, int file, off_t at)
{
    count++;
    return (void *)syscall(SYS_mmap, p, bytes, protection, flags, file, at);
}

int main(void)
{
    static float images[4 * 784], classes[40];
    lenet *model;
    lenet_options options = { .max_N = 4, .threads = 2, .weights = "lenet.safetensors" };
    int status = lenet_create(&model, &options);
    if (status) { fprintf(stderr, "%s\n", lenet_error(status)); return 1; }
    long created = count;
    for (int i = 0; i < 100; i++)
        if (lenet_run(model, 1 + i % 4, images, classes)) return 2;
    if (lenet_run(model, 5, images, classes) == 0) return 3;
    long ran = count;
    lenet_destroy(model);
    printf("%ld %ld %ld\n", created, ran, (long)count);
    return 0;
}
"""


def test_nothing_is_allocated_after_create(bundles, tmp_path):
    folder = bundles("lenet", "beside", IMAGES)
    program = build(COUNTED, tmp_path, [folder / "lenet.so"])
    created, ran, destroyed = map(int, run([program], folder).split())
    assert created >= 2 and created == ran == destroyed


FORKED = r"""
#define _GNU_SOURCE
#include "lenet.h"
#include <dirent.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { IMAGES = 64 };
static float images[IMAGES * 784], classes[IMAGES * 10], again[IMAGES * 10];

static int threads(void)
{
    int found = 0;
    DIR *tasks = opendir("/proc/self/task");
    for (struct dirent *task; (task = readdir(tasks));) found += task->d_name[0] != '.';
    closedir(tasks);
    return found;
}

int main(void)
{
    lenet *model, *other;
    lenet_options options = { .max_N = IMAGES, .threads = 3, .weights = "lenet.safetensors" };
    for (int i = 0; i < IMAGES * 784; i++) images[i] = (float)(i % 255) / 255;
    if (lenet_create(&model, &options) || lenet_run(model, IMAGES, images, classes)) return 1;
    usleep(20000);                                  /* the pool's threads fall asleep */
    pid_t child = fork();
    if (child == 0) {
        alarm(20);                                  /* a child that waits for threads of its parent's ends by this */
        for (int i = 0; i < 20; i++)
            if (lenet_run(model, IMAGES, images, again) || memcmp(classes, again, sizeof classes)) _exit(2);
        if (threads() != 3) _exit(5);
        if (lenet_create(&other, &options) || lenet_run(other, IMAGES, images, again)) _exit(3);
        lenet_destroy(model);
        lenet_destroy(other);
        _exit(memcmp(classes, again, sizeof classes) ? 4 : threads() != 1);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status) return 5;
    if (threads() != 3) return 7;
    if (lenet_run(model, IMAGES, images, again) || memcmp(classes, again, sizeof classes)) return 6;
    lenet_destroy(model);
    return 0;
}
"""


def test_a_forked_child_has_threads_of_its_own(bundles, tmp_path):
    folder = bundles("lenet", "beside", IMAGES)
    run([build(FORKED, tmp_path, [folder / "lenet.so"])], folder, timeout=60)


@pytest.mark.skipif(not has("make"), reason="make is not installed")
def test_the_example_program_recognises_digits(tmp_path):
    for part in ("aot_c", "data"):
        shutil.copytree(EXAMPLES / part, tmp_path / part)
    root = str(EXAMPLES.parent)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join((root, os.environ.get("PYTHONPATH", "")))}
    printed = run(["make", "-s", f"PYTHON={sys.executable}"], tmp_path / "aot_c", environment)
    right, total = map(int, printed.splitlines()[-1].removesuffix(" right").split(" of "))
    assert total == 360 and right > 340




def test_the_system_s_linker_makes_libraries_as_well(bundles, tmp_path, monkeypatch):
    """As on systems that the project's own linker is not for; two of its libraries do not mix up their functions."""
    monkeypatch.setattr(library, "links_itself", lambda: False)
    for name in ("recurrent", "kinds"):
        net, inputs = made(name)
        written = write_bundle(tmp_path / name, name, exported_graph(net, inputs))
        assert [level["name"] for level in written.manifest.levels] == ["native"]
        shown = run(["nm", "-D", "--defined-only", written.files[0]], tmp_path)
        assert [line.split()[-1] for line in shown.splitlines() if " T " in line] == [
            f"{name}_{f}" for f in ("create", "destroy", "error", "interface", "run")]
    program = build(BOTH, tmp_path, [tmp_path / name / f"{name}.so" for name in ("recurrent", "kinds")])
    net, (ids, mask, half) = made("kinds")
    (tmp_path / "in").write_bytes(b"".join(x.asnumpy().tobytes() for x in (ids, mask, half)))
    run(["sh", "-c", f"{program} < in > out"], tmp_path)
    assert (tmp_path / "out").read_bytes() == b"".join(y.asnumpy().tobytes() for y in net(ids, mask, half))
    for name in ("recurrent", "kinds"):
        net, inputs = made(name)
        for found, wanted in zip(leaves(gc.load(tmp_path / name)(*inputs)), leaves(net(*inputs)), strict=True):
            np.testing.assert_allclose(found.asnumpy(), wanted.asnumpy(), 2e-6, 2e-6)


BOTH = r"""
#include "kinds.h"
#include "recurrent.h"
#include <stdio.h>

int main(void)
{
    static float steps[60], y[84], h[14], c[1];
    static int32_t ids[6], twice[6];
    static uint8_t mask[24], both[24];
    static uint16_t half[5], doubled[5];
    recurrent *loop;
    kinds *net;
    if (fread(ids, sizeof ids, 1, stdin) + fread(mask, sizeof mask, 1, stdin) + fread(half, sizeof half, 1, stdin) != 3)
        return 1;
    if (recurrent_create(&loop, NULL) || kinds_create(&net, NULL)) return 2;
    if (recurrent_run(loop, steps, y, h, c) || kinds_run(net, ids, mask, half, both, twice, doubled)) return 3;
    fwrite(both, sizeof both, 1, stdout);
    fwrite(twice, sizeof twice, 1, stdout);
    fwrite(doubled, sizeof doubled, 1, stdout);
    recurrent_destroy(loop);
    kinds_destroy(net);
    return 0;
}
"""
