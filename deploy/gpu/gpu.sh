#!/usr/bin/env bash
# From your own machine: run a recipe on a rented one, over ssh and tar alone.
#
#   gpu.sh up HOST RECIPE [--data FOLDER] [options of `judgesmith run`]
#   gpu.sh watch HOST       show the log until the run ends; its exit code is the run's
#   gpu.sh fetch HOST [TO]  copy the run back to TO (default runs/)
#   gpu.sh stop HOST        end the run; `up` goes on where it was
#
# HOST is what ssh takes. RECIPE is a shipped recipe's name or a YAML file. PRICE, MOST, TRIES,
# PYTHON, JUDGESMITH and ALLOW_CPU go to run.sh, which says what they mean. RUN names the run
# (default: the recipe's name).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
remote=judgesmith-gpu
ssh=(ssh -o ServerAliveInterval=15 -o ConnectTimeout=20)

usage() { sed -n '2,/^set/p' "${BASH_SOURCE[0]}" | sed '$d; s/^# \{0,1\}//' >&2; exit 2; }
there() { "${ssh[@]}" "$host" "$1"; }

send() { # folder of ours, what of it, folder there
  tar -C "$1" -czf - --exclude __pycache__ --exclude '*.egg-info' "${@:3}" |
    there "mkdir -p $remote/$2 && tar -C $remote/$2 -xzf -"
}

up() {
  local recipe=${1:?RECIPE is missing} name options settings=""
  shift
  options=("$@")
  send "$root" source src pyproject.toml README.md LICENSE deploy
  name=$(basename "$recipe" .yaml)
  if [ -f "$recipe" ]; then
    send "$(dirname "$recipe")" recipes "$(basename "$recipe")"
    recipe=recipes/$(basename "$recipe")
  fi
  if [ "${options[0]:-}" = --data ]; then
    [ -d "${options[1]:-}" ] || { echo "--data: ${options[1]:-nothing} is no folder" >&2; exit 2; }
    send "${options[1]}" data .
    options[1]=data
  fi
  for setting in PRICE MOST TRIES EVERY PYTHON JUDGESMITH ALLOW_CPU; do
    if [ -n "${!setting:-}" ]; then settings+=" $setting=$(printf %q "${!setting}")"; fi
  done
  local command
  command=$(printf '%q ' bash source/deploy/gpu/run.sh "$recipe" "runs/${RUN:-$name}" "${options[@]}")
  # Its own session and no terminal: it goes on when this connection ends.
  there "cd $remote && mkdir -p state && rm -f state/exit && echo ${RUN:-$name} > state/run &&
    (setsid nohup env WORK=\"\$PWD\"$settings $command </dev/null >>state/log.txt 2>&1 &)"
  echo "started on $host; watch it with: gpu.sh watch $host"
}

watch() {
  local shown=1 text code=""
  while [ -z "$code" ]; do
    # The code first, then the log from the line after the last one shown; again if it is cut off.
    text=$(there "echo \"\$(cat $remote/state/exit 2>/dev/null)\"
      tail -n +$shown $remote/state/log.txt") || { sleep "${EVERY:-5}"; continue; }
    code=$(head -n 1 <<<"$text")
    text=$(tail -n +2 <<<"$text")
    if [ -n "$text" ]; then
      printf '%s\n' "$text"
      shown=$((shown + $(wc -l <<<"$text")))
    fi
    [ -n "$code" ] || sleep "${EVERY:-5}"
  done
  return "$code"
}

fetch() {
  local to=${1:-runs} name
  name=$(there "cat $remote/state/run")
  mkdir -p "$to"
  rm -rf "$to/$name.partial"
  mkdir "$to/$name.partial"
  there "tar -C $remote/runs/$name -czf - --exclude checkpoints ." | tar -C "$to/$name.partial" -xzf -
  if [ -e "$to/$name" ]; then mv "$to/$name" "$to/$name.before-$(date -u +%FT%H%M%S)"; fi
  mv "$to/$name.partial" "$to/$name"
  echo "$to/$name"
}

stop() { there "kill \$(cat $remote/state/pid)"; }

[ $# -ge 2 ] || usage
verb=$1 host=$2
shift 2
case $verb in
  up | watch | fetch | stop) "$verb" "$@" ;;
  *) usage ;;
esac
