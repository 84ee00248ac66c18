/* Runs a compiled model where nothing lies beside its arrays: whatever reads or writes outside of one is seen.
 *
 *     guarded end|begin|plain LEVEL THREADS RUNS INPUTS OUTPUTS WEIGHTS
 *
 * case.h, which `guarded.py` writes, says what the model is.  end: every array ends where a page without access begins;
 * begin: it begins where such a page ends; plain (for valgrind): arrays are malloc's.  INPUTS holds the arrays one after
 * another, OUTPUTS gets those of the first run; every further run has to give the same.  Each array of the file WEIGHTS
 * lies between pages without access, too, as does the memory of the model (not with plain), which is full of a pattern
 * when the model gets it; the gaps between the blocks in it must keep the pattern. */
#define _GNU_SOURCE
#include "case.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef PLAIN
#include <valgrind/memcheck.h>
#endif

enum { PAGE = 4096, PATTERN = 0x7f, MOST = 8 };
static int at_end;

static void fail(const char *what)
{
    fprintf(stderr, "%s\n", what);
    exit(1);
}

static void *map(size_t bytes, int file)
{
    void *found = (void *)syscall(SYS_mmap, NULL, bytes, PROT_READ | (file < 0 ? PROT_WRITE : 0),
                                  MAP_PRIVATE | (file < 0 ? MAP_ANONYMOUS : 0), file, 0);
    if (found == MAP_FAILED) fail("no memory");
    return found;
}

/* Memory between two pages without access; the multiple of `alignment` that is nearest to one of them. */
static char *place(size_t bytes, size_t alignment)
{
    size_t room = (bytes + PAGE - 1) / PAGE * PAGE;
    char *pages = map(room + 2 * PAGE, -1);
    memset(pages, PATTERN, room + 2 * PAGE);
    if (mprotect(pages, PAGE, PROT_NONE) || mprotect(pages + PAGE + room, PAGE, PROT_NONE)) fail("no guard pages");
    return pages + PAGE + (at_end ? (room - bytes) / alignment * alignment : 0);
}

/* The library's calls come here: its file of weights gets guard pages, */
void *mmap(void *address, size_t bytes, int protection, int flags, int file, off_t offset)
{
    if (file < 0) return (void *)syscall(SYS_mmap, address, bytes, protection, flags, file, offset);
    char *pages = map(bytes, file);
    for (size_t i = 0; i < sizeof guard_pages / sizeof *guard_pages; i++)
        if (mprotect(pages + guard_pages[i] * PAGE, PAGE, PROT_NONE)) fail("no guard pages in the weights");
    return pages;
}

#ifndef PLAIN
/* and so does its memory, which stays to be looked at when it is free. */
extern void __libc_free(void *);
static void *taken[MOST];
static int taken_count;

void *aligned_alloc(size_t alignment, size_t bytes)
{
    if (taken_count == MOST) fail("more memory is taken than is known of");
    return taken[taken_count++] = place(bytes, alignment);
}

void free(void *memory)
{
    for (int i = 0; i < taken_count; i++)
        if (taken[i] == memory) return;
    __libc_free(memory);
}
#endif

static void check_gaps(void *model)
{
    for (size_t i = 0; i < sizeof gaps / sizeof *gaps; i++) {
        unsigned char *block = ((unsigned char **)model)[gaps[i].word] + gaps[i].bytes;
#ifdef PLAIN
        if (!gaps[i].is_prologue) VALGRIND_MAKE_MEM_NOACCESS(block, GAP);
#else
        for (int byte = 0; byte < GAP; byte++)
            if (block[byte] != PATTERN) {
                fprintf(stderr, "something was written %d bytes behind block %zu\n", byte, i);
                exit(1);
            }
#endif
    }
}

int main(int argc, char **argv)
{
    if (argc != 8) fail("arguments are missing");
    at_end = !strcmp(argv[1], "end");
    int is_plain = !strcmp(argv[1], "plain"), runs = atoi(argv[4]);
    FILE *given = fopen(argv[5], "rb"), *result = fopen(argv[6], "wb");
    if (!given || !result) fail("a file cannot be opened");
    char *arrays[ARRAYS], *first[ARRAYS];
    for (int i = 0; i < ARRAYS; i++) {
        arrays[i] = is_plain ? malloc(array_bytes[i]) : place(array_bytes[i], 1);
        first[i] = malloc(array_bytes[i]);
        if (i < INPUTS && fread(arrays[i], 1, array_bytes[i], given) != array_bytes[i]) fail("INPUTS is too short");
        if (i < INPUTS && !is_plain && mprotect((char *)((size_t)arrays[i] / PAGE * PAGE), array_bytes[i], PROT_READ))
            fail("an input cannot be protected");
    }
    fclose(given);

    OPTIONS options;
    memset(&options, 0, sizeof options);
    SET_SIZES(options);
    options.threads = atoi(argv[3]);
    options.cpu_level = atoi(argv[2]);
    options.weights = argv[7];
    MODEL *model;
    int status = CREATE(&model, &options);
    if (status) fail(ERROR(status));
    check_gaps(model);
    for (int run = 0; run < runs; run++) {
        for (int i = INPUTS; i < ARRAYS && !is_plain; i++) memset(arrays[i], run ? 0 : PATTERN, array_bytes[i]);
        status = RUN(model, arrays);
        if (status) fail(ERROR(status));
        for (int i = INPUTS; i < ARRAYS; i++) {
            if (run && memcmp(first[i], arrays[i], array_bytes[i])) fail("two runs give different results");
            if (!run) {
                memcpy(first[i], arrays[i], array_bytes[i]);
                if (fwrite(arrays[i], 1, array_bytes[i], result) != array_bytes[i]) fail("OUTPUTS cannot be written");
            }
        }
    }
#ifndef PLAIN
    check_gaps(model);
#endif
    DESTROY(model);
    for (int i = 0; i < ARRAYS; i++) {
        if (is_plain) free(arrays[i]);
        free(first[i]);
    }
    return fclose(result);
}
