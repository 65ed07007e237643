#!/bin/sh
# Prints the path of the Python to set up with: $PYTHON where it is set, or the one that .venv
# was made with, or the newest of those that are tested. Each is tried before it is used: a version
# manager puts commands on PATH for versions that it does not run.
set -u
cd "$(dirname "$0")/.." || exit

probe='import os, sys
if sys.version_info < (3, 10):
    sys.exit("is Python %d.%d" % sys.version_info[:2])
# An environment may be about to be removed: not its own link, but what that points to.
print(sys.executable if sys.prefix == sys.base_prefix else os.path.realpath(sys.executable))'

if [ "${PYTHON:-}" ]; then
    set -- "$PYTHON"
else
    set -- .venv/bin/python python3.13 python3.12 python3.11 python3.10 python3
fi
found=
for candidate; do
    where=$(command -v "$candidate") || continue
    if answer=$("$where" -c "$probe" 2>&1); then
        echo "$answer"
        exit 0
    fi
    found="$found
    $where: $(echo "$answer" | head -n 1)"
done

echo "layerguard: Python 3.10 or newer is needed. Install one, or name it: make PYTHON=/path/to/python3
Looked for: $*
Found:${found:- none of them}" >&2
exit 1
