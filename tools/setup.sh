# shellcheck shell=bash
# What the scripts beside it share: packages, the build, the suites, and a Docker engine of their own. To be sourced by a
# script that sets `script`, its name in messages, and `logs`, the folder for what it does not show.
# shellcheck disable=SC2034,SC2154

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
engine_dir=''
engine_pid=''

say() { echo "$script: $*"; }
die() {
  echo "$script: $*" >&2
  exit 1
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

# Runs a command with its output in a log, and shows the end of that log only if it fails.
logged() { # logged LOG COMMAND...
  local log=$1
  shift
  mkdir -p "$(dirname "$log")"
  "$@" >"$log" 2>&1 && return 0
  tail -n 40 "$log" >&2
  echo "$script: that was the end of $log" >&2
  return 1
}

# --- packages ---------------------------------------------------------------

# What the library and the tool are built from and with. dpkg-dev tells Meson Debian's folder for libraries, where
# pkg-config and CMake look; without it they would be installed into lib64.
build_packages=(g++ meson ninja-build pkg-config dpkg-dev libboost1.81-dev rapidjson-dev zlib1g-dev libssl-dev
  libisal-dev libnghttp2-dev libprotozero-dev libcli11-dev libfmt-dev)
# What a private engine needs, and what a private podman does.
engine_packages=(docker.io iproute2)
podman_packages=(podman runc containernetworking-plugins iproute2)

# shellcheck disable=SC1091
is_debian_12() { (. /etc/os-release && [ "${ID:-} ${VERSION_ID:-}" = "debian 12" ]) 2>/dev/null; }

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# A service that a package brings is not started: this guard is what maintainer scripts ask.
guard=/usr/sbin/policy-rc.d
remove_guard() {
  if [ -n "${guard_is_ours:-}" ]; then as_root rm -f "$guard"; fi
  guard_is_ours=''
}

need_packages() {
  local package missing=()
  if ! is_debian_12; then
    say "not Debian 12, so nothing is installed; needed are the equivalents of: $*"
    return 0
  fi
  for package; do is_installed "$package" || missing+=("$package"); done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  if [ ! -e "$guard" ]; then
    guard_is_ours=1
    # shellcheck disable=SC2016
    as_root sh -c 'printf "#!/bin/sh\nexit 101\n" >"$1" && chmod 755 "$1"' sh "$guard"
  fi
  logged "$logs/apt.log" as_root sh -c '
    apt-get update -qq &&
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"' sh "${missing[@]}" ||
    die "apt could not install them"
  remove_guard
}

# --- the build --------------------------------------------------------------

# For a build from nothing: as few units as keep the processors busy, since what sources have in common is then
# compiled once for all of them. It takes less than half the time.
# shellcheck disable=SC2034
at_once=(-Dunity=on "-Dunity_size=$((48 / $(nproc) > 4 ? 48 / $(nproc) : 4))")

# Sets up a build folder, or gives an old one the options asked for, and builds it, or some targets of it.
build() { # build FOLDER MESON-OPTION... [-- TARGET...]
  local folder=$1 options=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    options+=("$1")
    shift
  done
  [ $# = 0 ] || shift
  command -v meson >/dev/null || die "meson is missing"
  logged "$logs/$(basename "$folder")-setup.log" configure "$folder" "${options[@]}" &&
    logged "$logs/$(basename "$folder").log" meson compile -C "$folder" "$@"
}
configure() { # a folder that another Meson or compiler left behind is set up anew
  local folder=$1
  shift
  if [ -e "$folder/meson-private/coredata.dat" ]; then
    meson setup --reconfigure "$folder" "$top" "$@" || meson setup --wipe "$folder" "$top" "$@"
  else
    meson setup "$folder" "$top" "$@"
  fi
}

# With clang 16, and ccache where it is installed. A precompiled header out of its cache is older than the file that
# another checkout has, which clang takes for a change unless it is told to write no times.
build_with_clang() { # as build
  CXX="$(command -v ccache >/dev/null && echo 'ccache ')clang++-16 -Xclang -fno-pch-timestamp" build "$@"
}
# Optimising is more than half the time of a build with sanitizers.
build_sanitized() { # build_sanitized FOLDER SANITIZERS MESON-OPTION... -- TARGET...
  local folder=$1 sanitizers=$2
  shift 2
  build_with_clang "$folder" -Dwerror=true -Doptimization=0 -Ddebug=false -Dcpp_args=-gline-tables-only \
    "-Db_sanitize=$sanitizers" -Db_lundef=false -Dtool=enabled -Dtests=enabled "$@"
}
# A finding ends the program, so that its test fails.
ubsan_options=halt_on_error=1:print_stacktrace=1:suppressions=$top/tools/ubsan.supp

# --- the suites -------------------------------------------------------------

passed=0 failed=0 skipped=0

# Runs suites of a build folder and counts their cases.
suites() { # suites FOLDER ARGUMENT-OF-MESON-TEST...
  local in=$1 began=$SECONDS outcome counts
  shift
  rm -f "$in/meson-logs/testlog.json"
  meson test -C "$in" --no-rebuild --print-errorlogs "$@" >"$logs/$(basename "$in")-test.log" 2>&1 ||
    grep -vE '^(ninja|[[:space:]]*[0-9]+/[0-9]+ .* OK )' "$logs/$(basename "$in")-test.log" | tail -n 120 >&2
  outcome=$(python3 "$top/tools/tally.py" "$in/meson-logs/testlog.json")
  counts=$(tail -n 1 <<<"$outcome")
  sed '$d' <<<"$outcome"
  read -r p f s <<<"$counts"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
  say "$(basename "$in"): $p test cases passed, $f failed, $s skipped ($((SECONDS - began)) s)"
}

# --- a container engine of our own ------------------------------------------

# Starts it; sets engine_host. stop_engine, or the end of this script however it comes, stops it.
start_engine() { # start_engine [docker|podman [registries]]
  local i
  engine_dir=$(mktemp -d "${TMPDIR:-/var/tmp}/dockline-engine.XXXXXX")
  # Others may pass through, so that what keeps them from the engine is its socket, as it is where users have one.
  chmod 711 "$engine_dir"
  mkfifo -m 600 "$engine_dir/leash"
  as_root true # asks for a password, if any, while there is a terminal to ask on
  as_root setsid "$top/tools/private-engine" "$engine_dir" "$(id -g)" "${@:-docker}" \
    <"$engine_dir/leash" >"$engine_dir/log" 2>&1 &
  engine_pid=$!
  exec 9>"$engine_dir/leash"
  engine_host=unix://$engine_dir/engine.sock
  for ((i = 0; i < 300; i++)); do
    kill -0 "$engine_pid" 2>/dev/null || break
    if [ -S "$engine_dir/engine.sock" ] && ask_engine "$engine_dir/engine.sock" GET /_ping; then return 0; fi
    sleep 0.2
  done
  tail -n 5 "$engine_dir/log" >&2
  stop_engine
  return 1
}

# Whether an engine answers a request without a body with success.
ask_engine() { # ask_engine SOCKET METHOD PATH
  python3 - "$@" 2>/dev/null <<'PYTHON'
import socket, sys
path, method, target = sys.argv[1:]
with socket.socket(socket.AF_UNIX) as peer:
    peer.settimeout(30)
    peer.connect(path)
    peer.sendall(f"{method} {target} HTTP/1.0\r\nHost: engine\r\n\r\n".encode())
    sys.exit(0 if peer.recv(64).split()[1].startswith(b"2") else 1)
PYTHON
}

stop_engine() {
  [ -n "$engine_dir" ] || return 0
  local pid
  exec 9>&- # the leash: the engine ends when nobody holds it any more
  # Not the job's own process, which a signal to this whole process group may have ended already.
  pid=$(cat "$engine_dir/pid" 2>/dev/null) || pid=$engine_pid
  while [ -d "/proc/$pid" ]; do sleep 0.1; done
  as_root rm -rf --one-file-system "$engine_dir"
  engine_dir='' engine_pid=''
}

# The suites and the matrix find the engine that was started, and the registries that it reaches.
use_own_engine() {
  export DOCKLINE_TEST_DOCKER_HOST=$engine_host
  export DOCKLINE_TEST_REGISTRY=127.0.0.1:5000 DOCKLINE_TEST_CLOSED_REGISTRY=127.0.0.1:5001
  export DOCKLINE_TEST_TOKEN_REGISTRY=127.0.0.1:5002 DOCKLINE_TEST_TOKEN_KEY=$engine_dir/token
}
