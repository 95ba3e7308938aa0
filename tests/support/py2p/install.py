"""Makes a virtual environment with py2p in it, once for all test processes.

    python install.py DIRECTORY        prints the environment's interpreter

Of processes that start together one installs and the others wait. They wait
for a lock of the operating system, which is free again when its holder dies,
and the environment gets its name only when it is complete: nobody ever sees
half of one. Standard library only, Python 3.8 to 3.11.
"""
import os
import shutil
import subprocess
import sys

WANTED = "0.4.516"
LIMIT = 280  # seconds for one step; the caller stops us after 300


def main(directory):
    os.makedirs(os.path.dirname(directory), exist_ok=True)
    with open(directory + ".lock", "a") as lock_file:
        lock(lock_file)
        if not works(directory):
            refuse_to_fail_again(directory)
            build(directory)
    print(interpreter(directory))


def lock(file):
    if os.name == "nt":
        import msvcrt

        while True:
            try:
                file.seek(0)
                return msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
            except OSError:
                pass  # it gives up after 10 s; we wait until the caller does
    else:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX)


def build(directory):
    """Nothing but the last step makes `directory`; environments may be moved
    as long as pip is called as a module."""
    building = directory + ".building"
    for leftover in (building, directory):
        shutil.rmtree(leftover, ignore_errors=True)
    if os.path.exists(directory + ".failed"):
        os.remove(directory + ".failed")  # of a run before this one
    try:
        run(sys.executable, "-m", "venv", building)
        run(interpreter(building), "-m", "pip", "install",
            "py2p==" + WANTED, "cryptography")
        if not works(building):
            raise RuntimeError("pip has installed something else than py2p " + WANTED)
    except Exception as error:
        note_failure(directory, str(error))
        raise SystemExit(str(error))
    os.rename(building, directory)


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=LIMIT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        text = done.stdout.decode(errors="replace").strip()
        raise RuntimeError("%s failed:\n%s" % (" ".join(command), text[-2000:]))


def works(directory):
    python = interpreter(directory)
    probe = "import cryptography, py2p; print(py2p.__version__)"
    if not os.path.exists(python):
        return False
    done = subprocess.run([python, "-W", "ignore", "-c", probe], timeout=LIMIT,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return done.returncode == 0 and done.stdout.decode().strip() == WANTED


def interpreter(directory):
    inner = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return os.path.join(directory, *inner)


# nextest runs every test in a process of its own. Without a registry each
# would wait for pip to give up: so the first tells the rest of its run.
RUN = os.environ.get("NEXTEST_RUN_ID")


def note_failure(directory, text):
    if RUN:
        with open(directory + ".failed", "w") as file:
            file.write(RUN + "\n" + text)


def refuse_to_fail_again(directory):
    try:
        with open(directory + ".failed") as file:
            run_id, text = file.read().split("\n", 1)
    except OSError:
        return
    if run_id == RUN:
        raise SystemExit(text)


if __name__ == "__main__":
    main(sys.argv[1])
