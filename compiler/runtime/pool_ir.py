"""The thread pool, in LLVM IR: it belongs to the process (or to the shared library) that it is linked into.

A job is a kernel over a range of items, cut into pieces.  Each participant has a section of the pieces, with a cursor;
it works through its own section and then helps with the others, so nobody ever waits for a thread that sleeps: only for
pieces already begun.  A cursor bears the job's number and its count of pieces beside the next piece, and a piece is
taken by compare-and-swap, so a thread that comes late to a job that is over takes nothing, whatever it has read of the
description, which may be the next job's by then.

Threads that find no new job spin for some microseconds, then sleep on a condition variable; the job's giver wakes them
only if some do.  Workers are numbered from 1; the giver is 0.
"""
from __future__ import annotations

#: Most threads that the pool has room for.
MOST_THREADS = 256

#: Looks at the job number before a worker goes to sleep; each takes 40 to 140 cycles on x86.
SPINS_BEFORE_SLEEP = 2000

#: Looks at the unfinished pieces before the giver offers its core to others.
SPINS_BEFORE_YIELD = 4000

_PAUSE = {
    "x86": ("call void @llvm.x86.sse2.pause()", "declare void @llvm.x86.sse2.pause()"),
    "arm": ("call void @llvm.aarch64.hint(i32 1)", "declare void @llvm.aarch64.hint(i32)"),
    "": ("", ""),
}


def pool_text(architecture: str, set_signal_mask: int) -> str:
    """The pool's LLVM IR.

    architecture: 'x86', 'arm' or '' (another); set_signal_mask: the C constant SIG_SETMASK.
    Defines @gc_pool_start(workers) (so that no later job has to start them), @gc_pool_stop (ends and joins all
    workers), @gc_pool_forget (for the child of a fork, which has none), and for the executor
    @pool.split(kernel, row, items, pieces wanted, threads) -> whether the pool was free.
    """
    pause, declaration = _PAUSE[architecture]
    values = {"PAUSE": pause, "PAUSE_DECLARATION": declaration, "SET_MASK": set_signal_mask, "MOST": MOST_THREADS,
              "SLEEP_AFTER": SPINS_BEFORE_SLEEP, "YIELD_AFTER": SPINS_BEFORE_YIELD}
    text = _TEXT
    for name, value in values.items():
        text = text.replace(f"${name}$", str(value))
    return text


_TEXT = """
$PAUSE_DECLARATION$
declare i32 @pthread_create(ptr, ptr, ptr, ptr)
declare i32 @pthread_join(i64, ptr)
declare i32 @pthread_mutex_init(ptr, ptr)
declare i32 @pthread_mutex_lock(ptr)
declare i32 @pthread_mutex_unlock(ptr)
declare i32 @pthread_cond_init(ptr, ptr)
declare i32 @pthread_cond_wait(ptr, ptr)
declare i32 @pthread_cond_broadcast(ptr)
declare i32 @pthread_sigmask(i32, ptr, ptr)
declare i32 @sched_yield()

@busy = internal global i32 0, align 64                 ; 1 while a thread gives a job
@workers = internal global i64 0, align 64              ; how many there are
@handles = internal global [$MOST$ x i64] zeroinitializer
@is_ready = internal global i1 false                    ; whether mutex and condition are initialised
@mutex = internal global [128 x i8] zeroinitializer, align 64
@wake = internal global [128 x i8] zeroinitializer, align 64
@somebody_sleeps = internal global i32 0, align 64
@is_stopping = internal global i32 0

@job = internal global i64 0, align 64                  ; the job's number; the lines below describe it
@job.kernel = internal global ptr null, align 64
@job.row = internal global ptr null
@job.items = internal global i64 0
@job.sections = internal global i64 0                   ; participants
@job.pieces = internal global i64 0                     ; of each section, at most 15
@unfinished = internal global i64 0, align 64           ; pieces
@cursors = internal global [$MOST$ x [8 x i64]] zeroinitializer, align 64    ; number * 256 + pieces * 16 + next piece

; Take pieces of job `number` until none is left, as worker `self`.
define internal void @pool.work(i64 %self, i64 %number) nounwind {
entry:
  %kernel = load ptr, ptr @job.kernel
  %row = load ptr, ptr @job.row
  %items = load i64, ptr @job.items
  %sections = load i64, ptr @job.sections
  %pieces = load i64, ptr @job.pieces
  %total = mul i64 %sections, %pieces
  %takes_part = icmp ult i64 %self, %sections
  br i1 %takes_part, label %section, label %done

section:
  %passed = phi i64 [0, %entry], [%passed.next, %section.next]
  %turned = add i64 %self, %passed
  %current = urem i64 %turned, %sections
  %cursor = getelementptr [8 x i64], ptr @cursors, i64 %current
  br label %look

look:
  %seen = load atomic i64, ptr %cursor acquire, align 8
  %owner = lshr i64 %seen, 8
  %is_current = icmp eq i64 %owner, %number
  br i1 %is_current, label %choose, label %done

choose:
  %piece = and i64 %seen, 15
  %limit.place = lshr i64 %seen, 4                      ; not %pieces: who is late may have read the next job's
  %limit = and i64 %limit.place, 15
  %is_left = icmp ult i64 %piece, %limit
  br i1 %is_left, label %take, label %section.next

take:
  %after = add i64 %seen, 1
  %swap = cmpxchg ptr %cursor, i64 %seen, i64 %after acq_rel acquire
  %is_taken = extractvalue { i64, i1 } %swap, 1
  br i1 %is_taken, label %run, label %look

run:
  %first = mul i64 %current, %pieces
  %place = add i64 %first, %piece
  %place.next = add i64 %place, 1
  %begin.scaled = mul i64 %place, %items
  %end.scaled = mul i64 %place.next, %items
  %begin = udiv i64 %begin.scaled, %total
  %end = udiv i64 %end.scaled, %total
  call void %kernel(ptr %row, i64 %begin, i64 %end, i64 %self)
  %before = atomicrmw sub ptr @unfinished, i64 1 acq_rel
  br label %look

section.next:
  %passed.next = add i64 %passed, 1
  %is_more = icmp ult i64 %passed.next, %sections
  br i1 %is_more, label %section, label %done

done:
  ret void
}

; The life of a worker.
define internal ptr @pool.worker(ptr %argument) nounwind {
entry:
  %self = ptrtoint ptr %argument to i64
  br label %look

look:
  %last = phi i64 [0, %entry], [%last, %wait], [%number, %work], [%last, %awake]
  %spins = phi i64 [0, %entry], [%spins.next, %wait], [0, %work], [0, %awake]
  %number = load atomic i64, ptr @job seq_cst, align 8
  %is_new = icmp ne i64 %number, %last
  br i1 %is_new, label %work, label %check

work:
  call void @pool.work(i64 %self, i64 %number)
  br label %look

check:
  %stopping = load atomic i32, ptr @is_stopping seq_cst, align 4
  %must_stop = icmp ne i32 %stopping, 0
  br i1 %must_stop, label %stop, label %rest

rest:
  %is_tired = icmp uge i64 %spins, $SLEEP_AFTER$
  br i1 %is_tired, label %sleep, label %wait

wait:
  $PAUSE$
  %spins.next = add i64 %spins, 1
  br label %look

sleep:
  %locked = call i32 @pthread_mutex_lock(ptr @mutex)
  br label %asleep

asleep:                                                 ; the flag is raised before the last look at the job
  store atomic i32 1, ptr @somebody_sleeps seq_cst, align 4
  %number.now = load atomic i64, ptr @job seq_cst, align 8
  %nothing_new = icmp eq i64 %number.now, %last
  %stopping.now = load atomic i32, ptr @is_stopping seq_cst, align 4
  %goes_on = icmp eq i32 %stopping.now, 0
  %sleeps_on = and i1 %nothing_new, %goes_on
  br i1 %sleeps_on, label %doze, label %awake

doze:
  %woken = call i32 @pthread_cond_wait(ptr @wake, ptr @mutex)
  br label %asleep

awake:
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  br label %look

stop:
  ret ptr null
}

define internal void @pool.wake_sleepers() nounwind {
  %locked = call i32 @pthread_mutex_lock(ptr @mutex)
  %woken = call i32 @pthread_cond_broadcast(ptr @wake)
  %unlocked = call i32 @pthread_mutex_unlock(ptr @mutex)
  ret void
}

; Start workers until there are `wanted`, or as many as the system grants.  They take no signals: those are Python's.
define internal void @pool.grow(i64 %wanted) nounwind noinline {
entry:
  %all = alloca [128 x i8], align 16
  %previous = alloca [128 x i8], align 16
  %ready = load i1, ptr @is_ready
  br i1 %ready, label %mask, label %initialise

initialise:
  %made.mutex = call i32 @pthread_mutex_init(ptr @mutex, ptr null)
  %made.condition = call i32 @pthread_cond_init(ptr @wake, ptr null)
  store i1 true, ptr @is_ready
  br label %mask

mask:
  call void @llvm.memset.p0.i64(ptr %all, i8 -1, i64 128, i1 false)
  %masked = call i32 @pthread_sigmask(i32 $SET_MASK$, ptr %all, ptr %previous)
  br label %look

look:
  %count = load i64, ptr @workers
  %is_short = icmp ult i64 %count, %wanted
  br i1 %is_short, label %create, label %done

create:
  %handle = getelementptr i64, ptr @handles, i64 %count
  %next = add i64 %count, 1
  %argument = inttoptr i64 %next to ptr
  %status = call i32 @pthread_create(ptr %handle, ptr null, ptr @pool.worker, ptr %argument)
  %is_made = icmp eq i32 %status, 0
  br i1 %is_made, label %created, label %done

created:
  store i64 %next, ptr @workers
  br label %look

done:
  %unmasked = call i32 @pthread_sigmask(i32 $SET_MASK$, ptr %previous, ptr null)
  ret void
}

; Run a kernel on up to `threads` threads, in about `wanted` pieces (both at least 2).  False if the pool is not free.
define internal i1 @pool.split(ptr %kernel, ptr %row, i64 %items, i64 %wanted, i64 %threads) nounwind {
entry:
  %swap = cmpxchg ptr @busy, i32 0, i32 1 acq_rel acquire
  %is_mine = extractvalue { i32, i1 } %swap, 1
  br i1 %is_mine, label %count, label %refuse

refuse:
  ret i1 false

count:
  %participants = call i64 @llvm.umin.i64(i64 %threads, i64 %wanted)
  %helpers = sub i64 %participants, 1
  %present = load i64, ptr @workers
  %is_short = icmp ult i64 %present, %helpers
  br i1 %is_short, label %grow, label %describe

grow:
  call void @pool.grow(i64 %helpers)
  br label %describe

describe:
  %workers = load i64, ptr @workers
  %everybody = add i64 %workers, 1
  %sections = call i64 @llvm.umin.i64(i64 %participants, i64 %everybody)
  %share = udiv i64 %wanted, %sections
  %pieces = call i64 @llvm.umin.i64(i64 %share, i64 4)
  %total = mul i64 %sections, %pieces
  %last = load i64, ptr @job
  %number = add i64 %last, 1
  store ptr %kernel, ptr @job.kernel
  store ptr %row, ptr @job.row
  store i64 %items, ptr @job.items
  store i64 %sections, ptr @job.sections
  store i64 %pieces, ptr @job.pieces
  store i64 %total, ptr @unfinished
  %start.number = shl i64 %number, 8
  %start.limit = shl i64 %pieces, 4
  %start = or i64 %start.number, %start.limit
  br label %open

open:
  %section = phi i64 [0, %describe], [%section.next, %open]
  %cursor = getelementptr [8 x i64], ptr @cursors, i64 %section
  store atomic i64 %start, ptr %cursor release, align 8
  %section.next = add i64 %section, 1
  %is_more = icmp ult i64 %section.next, %sections
  br i1 %is_more, label %open, label %publish

publish:
  store atomic i64 %number, ptr @job seq_cst, align 8
  %sleeping = load atomic i32, ptr @somebody_sleeps seq_cst, align 4
  %must_wake = icmp ne i32 %sleeping, 0
  br i1 %must_wake, label %wake, label %work

wake:
  store atomic i32 0, ptr @somebody_sleeps seq_cst, align 4
  call void @pool.wake_sleepers()
  br label %work

work:
  call void @pool.work(i64 0, i64 %number)
  br label %look

look:
  %spins = phi i64 [0, %work], [%spins.next, %wait], [0, %yield]
  %left = load atomic i64, ptr @unfinished acquire, align 8
  %is_done = icmp eq i64 %left, 0
  br i1 %is_done, label %done, label %rest

rest:
  %is_tired = icmp uge i64 %spins, $YIELD_AFTER$
  br i1 %is_tired, label %yield, label %wait

wait:
  $PAUSE$
  %spins.next = add i64 %spins, 1
  br label %look

yield:
  %yielded = call i32 @sched_yield()
  br label %look

done:
  store atomic i32 0, ptr @busy release, align 4
  ret i1 true
}

declare i64 @llvm.umin.i64(i64, i64)
declare void @llvm.memset.p0.i64(ptr, i8, i64, i1)

; Wait until no thread gives a job, and let none.
define internal void @pool.enter() nounwind {
entry:
  br label %enter

enter:
  %swap = cmpxchg ptr @busy, i32 0, i32 1 acq_rel acquire
  %is_mine = extractvalue { i32, i1 } %swap, 1
  br i1 %is_mine, label %done, label %yield

yield:
  %yielded = call i32 @sched_yield()
  br label %enter

done:
  ret void
}

define void @gc_pool_start(i64 %wanted) nounwind {
  call void @pool.enter()
  call void @pool.grow(i64 %wanted)
  store atomic i32 0, ptr @busy release, align 4
  ret void
}

define void @gc_pool_stop() nounwind {
entry:
  call void @pool.enter()
  %count = load i64, ptr @workers
  %is_any = icmp ne i64 %count, 0
  br i1 %is_any, label %stop, label %leave

stop:
  store atomic i32 1, ptr @is_stopping seq_cst, align 4
  call void @pool.wake_sleepers()
  br label %join

join:
  %index = phi i64 [0, %stop], [%index.next, %join]
  %place = getelementptr i64, ptr @handles, i64 %index
  %handle = load i64, ptr %place
  %joined = call i32 @pthread_join(i64 %handle, ptr null)
  %index.next = add i64 %index, 1
  %is_more = icmp ult i64 %index.next, %count
  br i1 %is_more, label %join, label %ended

ended:
  store i64 0, ptr @workers
  store atomic i32 0, ptr @is_stopping seq_cst, align 4
  br label %leave

leave:
  store atomic i32 0, ptr @busy release, align 4
  ret void
}

define void @gc_pool_forget() nounwind {
  store i64 0, ptr @workers
  store i1 false, ptr @is_ready
  store i32 0, ptr @somebody_sleeps
  store i32 0, ptr @is_stopping
  store atomic i32 0, ptr @busy release, align 4
  ret void
}
"""
