#!/usr/bin/env bash
# On the rented machine: install judgesmith, run a recipe to its end, and go on after a kill.
#
#   run.sh RECIPE RUN [options of `judgesmith run`]
#
# Everything lies in $WORK (default ~/judgesmith-gpu): the environment, caches, state/, the run.
#   PRICE=2.49       price of the machine per hour: tells what training will cost, after its dry run
#   MOST=20          stop before training where it would cost more
#   TRIES=3          how often to go on after a kill by the system
#   PYTHON=python3   3.11 or newer, for the environment
#   JUDGESMITH=PATH  use this command and install nothing
#   ALLOW_CPU=1      do not insist on a GPU
# $WORK/env, where there is one, is read first: the place for HF_TOKEN and the keys of teachers.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=${WORK:-$HOME/judgesmith-gpu}
state=$work/state
torch=2.13.0

say() { printf '%s %s\n' "$(date -u +%FT%TZ)" "$*"; }
fail() { say "$*"; finish 2; }
finish() { echo "$1" >"$state/exit"; exit "$1"; }

install() {
  command=${JUDGESMITH:-$work/venv/bin/judgesmith}
  python=$(dirname "$command")/python
  if [ -n "${JUDGESMITH:-}" ]; then return; fi
  local base=${PYTHON:-python3} wanted
  "$base" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$base is older than Python 3.11; name a newer one in PYTHON"
  wanted=$(cat "$here/constraints.txt" "$here/../../pyproject.toml" | sha256sum)
  if [ "$(cat "$work/venv/ready" 2>/dev/null)" != "$wanted" ]; then
    say "installing, some minutes and 8 GB"
    "$base" -m venv "$work/venv"
    "$python" -m pip install --quiet --upgrade pip
    "$python" -m pip install --quiet "torch==$torch"
    "$python" -m pip install --quiet --constraint "$here/constraints.txt" \
      --editable "$here/../..[train,qlora]"
    echo "$wanted" >"$work/venv/ready"
  fi
}

require_gpu() {
  if [ -n "${ALLOW_CPU:-}" ]; then return; fi
  "$python" -c 'import torch; raise SystemExit(not torch.cuda.is_available())' ||
    fail "torch $torch finds no GPU; nvidia-smi says: $(nvidia-smi 2>&1 | head -3)"
}

# While the run trains: what each dry run projects, in money, and a stop where it is too much.
watch_cost() {
  local child=$1 run=$2 rc
  while kill -0 "$child" 2>/dev/null; do
    rc=0
    "$python" "$here/cost.py" "$run" "$state/costs" \
      --price "$PRICE" ${MOST:+--most "$MOST"} || rc=$?
    if [ "$rc" = 3 ]; then
      touch "$state/too-dear"
      kill "$child"
      return
    fi
    sleep "${EVERY:-5}"
  done
}

main() {
  if [ $# -lt 2 ]; then echo "usage: run.sh RECIPE RUN [options of judgesmith run]" >&2; exit 2; fi
  local recipe=$1 run=$2 tried=0 rc child
  shift 2
  mkdir -p "$state" "$work/cache"
  exec 9>"$state/lock"
  flock -n 9 || { echo "a run is going on already in $work" >&2; exit 4; }
  rm -f "$state/exit" "$state/too-dear"
  echo "$$" >"$state/pid"
  # shellcheck source=/dev/null
  if [ -f "$work/env" ]; then set -a; . "$work/env"; set +a; fi
  export HF_HOME=${HF_HOME:-$work/cache/huggingface} XDG_CACHE_HOME=$work/cache
  export PIP_CACHE_DIR=$work/cache/pip TOKENIZERS_PARALLELISM=false
  cd "$work"
  install || fail "the installation failed"
  require_gpu
  while :; do
    say "judgesmith run $recipe --run $run $*"
    "$command" run "$recipe" --run "$run" "$@" 9>&- &
    child=$!
    trap 'kill "$child"; wait "$child" || true; finish 143' TERM INT
    if [ -n "${PRICE:-}" ]; then watch_cost "$child" "$run" 9>&-; fi
    rc=0
    wait "$child" || rc=$?
    if [ -e "$state/too-dear" ]; then finish 5; fi
    # Below 128 it ended by itself, done or with an error that trying again would not change.
    if [ "$rc" -lt 128 ] || [ "$tried" -ge "${TRIES:-3}" ]; then break; fi
    tried=$((tried + 1))
    say "killed (code $rc); going on where it was, $tried of ${TRIES:-3}"
  done
  say "ended with code $rc"
  finish "$rc"
}

main "$@"
