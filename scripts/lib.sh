# shellcheck shell=bash
# What the scripts share: finding out what is missing, and installing it where that is allowed. Sourced, not run.
# Everything works with the bash 3.2 of macOS as well.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
missing=()
packages=()

step() {
  printf '\n==> %s\n' "$*"
}

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# Runs a command as root; false when that is not possible without asking.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo -n "$@"
  fi
}

can_be_root() {
  [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }
}

# need WHAT PACKAGE SIGN...: notes what is missing unless one of the signs is there: a program's name, or a file's path.
need() {
  local what=$1 package=$2 sign
  shift 2
  for sign in "$@"; do
    case $sign in
      /*) if [ -e "$sign" ]; then return; fi ;;
      *) if command -v "$sign" >/dev/null; then return; fi ;;
    esac
  done
  missing+=("$what")
  packages+=("$package")
}

# Installs what `need` found missing: Debian and Ubuntu, as root or through a sudo that does not ask.
install_missing() {
  if [ "${#missing[@]}" = 0 ]; then
    return
  fi
  step "missing: $(list "${missing[@]}")"
  if ! command -v apt-get >/dev/null; then
    fail "install it with your system's package manager and start again (on Debian: ${packages[*]})"
  fi
  if ! can_be_root; then
    fail "run as root: apt-get install -y --no-install-recommends ${packages[*]}; then start again"
  fi
  echo "installing ${packages[*]}"
  as_root apt-get -qq update </dev/null || echo "the package lists could not be brought up to date; trying with the old ones"
  without_starting_services install_packages "${packages[@]}" || fail "apt-get could not install ${packages[*]}"
  missing=()
  packages=()
}

# Its many lines are shown only when it fails.
install_packages() {
  local said
  said=$(as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 \
    install -y --no-install-recommends "$@" 2>&1 </dev/null) || {
    printf '%s\n' "$said" >&2
    return 1
  }
}

# A package with a server would start it. Debian asks /usr/sbin/policy-rc.d first; 101 is no.
without_starting_services() {
  local policy=/usr/sbin/policy-rc.d result=0
  if [ -e "$policy" ]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
  trap 'as_root rm -f /usr/sbin/policy-rc.d' EXIT
  "$@" || result=$?
  as_root rm -f "$policy"
  trap - EXIT
  return "$result"
}

# slapd for the tests: the program alone, without a directory of its own that would be served after the next boot.
need_slapd() {
  if [ -x /usr/sbin/slapd ]; then
    return
  fi
  need "OpenLDAP's server" slapd /usr/sbin/slapd
  if command -v debconf-set-selections >/dev/null && can_be_root; then
    echo 'slapd slapd/no_configuration boolean true' | as_root debconf-set-selections
  fi
}

# A C compiler (SQLite and ring are built from source) and a Rust that is new enough.
need_compilers() {
  need "a C compiler" gcc cc
  need "the C library's headers" libc6-dev /usr/include/stdio.h /usr/bin/xcrun
}

list() {
  local text=$1
  shift
  while [ $# -gt 0 ]; do
    text="$text, $1"
    shift
  done
  echo "$text"
}

# cargo, through rustup where there is none.
rust() {
  local wanted found
  wanted=$(sed -n 's/^rust-version = "\(.*\)"$/\1/p' "$root/Cargo.toml")
  if [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
    export PATH
  fi
  if ! command -v cargo >/dev/null; then
    step "Rust is missing: installing it for this user through rustup"
    need curl curl curl
    need "certificates" ca-certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/cert.pem /etc/pki/tls/certs/ca-bundle.crt
    install_missing
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
      sh -s -- -y --profile minimal --component clippy,rustfmt --no-modify-path ||
      fail "rustup could not be installed; install Rust $wanted or newer and start again"
    PATH="$HOME/.cargo/bin:$PATH"
    export PATH
  fi
  found=$(cargo --version | sed -n 's/^cargo \([0-9]*\.[0-9]*\).*/\1/p')
  if [ "$(printf '%s\n%s\n' "$wanted" "$found" | sort -t. -k1,1n -k2,2n | head -n 1)" != "$wanted" ]; then
    fail "Rust $found is too old: $wanted or newer is needed (rustup update stable; distributions often have an old one)"
  fi
  echo "Rust $found"
}
