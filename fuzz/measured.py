"""Runs racelint within limits of time and memory, and reads what it wrote for what it must not write."""

import json
import os
import resource
import signal
import subprocess
import time
import unicodedata

SECONDS = 20
MEMORY = 2 << 30
FORMATS = ["text", "concise", "json", "json-lines", "sarif", "github", "gitlab", "junit", "markdown"]


def limits():
    # Stacks are reserved and not used, so that the address space says nothing of the memory.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS + 5, SECONDS + 10))
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))


def run(racelint, root, out, *more):
    """Gives the exit status (negative for a signal), the seconds, the peak of memory, and the text on standard error."""
    command = [racelint, "check", "--no-cache", "--color=never", "--explain-safe", "--statistics", "--min-confidence=low"]
    command += [f"--format={name}={out}/{name}" for name in FORMATS] + list(more)
    begun = time.monotonic()
    with open(os.path.join(out, "stdout"), "wb") as stdout, open(os.path.join(out, "stderr"), "wb") as stderr:
        process = subprocess.Popen(command + ["."], cwd=root, stdout=stdout, stderr=stderr, preexec_fn=limits)
        peak = 0
        # A machine may be busy with other things; what counts is the time of the processor, and hanging at all.
        while True:
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
            if done:
                break
            peak = max(peak, resident(process.pid))
            if peak > MEMORY or time.monotonic() - begun > 30 * SECONDS:
                process.send_signal(signal.SIGKILL)
                _, status, usage = os.wait4(process.pid, 0)
                break
            time.sleep(0.02)
    process.returncode = 0
    seconds = usage.ru_utime + usage.ru_stime
    code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
    return code, seconds, max(peak, usage.ru_maxrss * 1024)


def resident(pid):
    try:
        with open(f"/proc/{pid}/statm") as file:
            return int(file.read().split()[1]) * resource.getpagesize()
    except OSError:
        return 0


def broken(code, seconds, peak, out):
    """What no run may do, whatever it was given; and the texts of all its reports."""
    found = []
    if seconds > SECONDS:
        found.append(f"took {seconds:.0f} s of the processor")
    if peak > MEMORY:
        found.append(f"took {peak >> 20} MiB")
    texts = {name: read(os.path.join(out, name)) for name in FORMATS + ["stdout", "stderr"]}
    if "please report it" in "".join(texts.values()):
        found.append("a bug of racelint: " + next(line for line in texts["stderr"].splitlines() if "report it" in line))
    for name, text in texts.items():
        found += [f"{name}: {fault}" for fault in loose(name, text)]
    for name in ["json", "sarif", "gitlab"] if code in (0, 1) else []:
        try:
            json.loads(texts[name])
        except ValueError as error:
            found.append(f"{name}: {error}")
    return found, texts


def loose(name, text):
    """What a terminal or a runner would act upon."""
    bad = {c for c in text if c not in "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") and c != "\xad"}
    # Joiners shape a word and move nothing; a soft hyphen is shown or not.
    bad -= {"\u200c", "\u200d"}
    if bad:
        yield f"raw {sorted(map(ascii, bad))}"
    if "##[" in text:
        yield "##["
    ours = ("::error title=", "::warning title=", "::notice title=")
    for line in text.splitlines():
        if line.lstrip().startswith("::") and not (name == "github" and line.startswith(ours)):
            yield f"a command: {line[:60]}"


def read(path):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return ""
