#!/bin/sh
# Installs burncam: the program, its manual pages and completion scripts. For Linux and macOS; Windows has install.ps1.
#
#     sh install.sh [--version VERSION] [--to DIR] [--archive FILE.tar.gz]
#
# VERSION is the newest release unless named. DIR gets bin/burncam and share/; it is ~/.local unless named (BURNCAM_INSTALL_DIR).
# With --archive nothing is downloaded. BURNCAM_RELEASES names another place than the project's release page, with the same files.
set -eu

releases=${BURNCAM_RELEASES:-https://github.com/burncam/burncam/releases}
to=${BURNCAM_INSTALL_DIR:-$HOME/.local}
version=
archive=

fail() { printf '%s\n' "install.sh: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --version | --to | --archive) [ -n "${2:-}" ] || fail "'$1' needs a value (install.sh --help)" ;;
    esac
    case $1 in
        --version) version=$2; shift 2 ;;
        --to) to=$2; shift 2 ;;
        --archive) archive=$2; shift 2 ;;
        -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
        *) fail "unknown option '$1', expected --version, --to or --archive" ;;
    esac
done

# The script changes its directory later.
case $to in /*) ;; *) to=$PWD/$to ;; esac

target() {
    case $(uname -s)-$(uname -m) in
        # One that needs no C library: it runs on every distribution.
        Linux-x86_64) echo x86_64-unknown-linux-musl ;;
        Linux-aarch64) echo aarch64-unknown-linux-gnu ;;
        Darwin-arm64) echo aarch64-apple-darwin ;;
        Darwin-x86_64) echo x86_64-apple-darwin ;;
        *) fail "no program for $(uname -s) on $(uname -m), expected Linux or macOS on x86-64 or ARM (build it: cargo install burncam)" ;;
    esac
}

# fetch URL FILE
fetch() {
    if command -v curl >/dev/null; then curl --fail --silent --show-error --location --output "$2" "$1"
    elif command -v wget >/dev/null; then wget --quiet --output-document="$2" "$1"
    else fail "neither curl nor wget is installed (install one, or download the archive and use --archive)"
    fi || fail "'$1' could not be downloaded"
}

check() {
    expected=$(cut -d' ' -f1 <"$1.sha256")
    if command -v sha256sum >/dev/null; then found=$(sha256sum "$1"); else found=$(shasum -a 256 "$1"); fi
    [ "${found%% *}" = "$expected" ] || fail "'$1' has the SHA-256 ${found%% *}, expected $expected (download it again)"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ -z "$archive" ]; then
    target=$(target)
    [ -n "$version" ] || { fetch "$releases/latest/download/version" "$work/version"; version=$(cat "$work/version"); }
    archive=$work/burncam-$version-$target.tar.gz
    url=$releases/download/v$version/burncam-$version-$target.tar.gz
    fetch "$url" "$archive"
    fetch "$url.sha256" "$archive.sha256"
    check "$archive"
elif [ -e "$archive.sha256" ]; then
    check "$archive"
fi

mkdir "$work/unpacked"
tar -xzf "$archive" -C "$work/unpacked" || fail "'$archive' is not an archive of burncam"
cd "$work/unpacked"/burncam-*/ || fail "'$archive' is not an archive of burncam"
./burncam --version >/dev/null || fail "the program does not start on this machine (build it: cargo install burncam)"

share=$to/share
mkdir -p "$to/bin" "$share/man/man1" "$share/bash-completion/completions" "$share/zsh/site-functions" "$share/fish/vendor_completions.d"
# Renamed into its place, so that a burncam that runs now goes on.
cp burncam "$to/bin/.burncam.new"
mv -f "$to/bin/.burncam.new" "$to/bin/burncam"
cp man/man1/*.1 "$share/man/man1/"
cp completions/burncam.bash "$share/bash-completion/completions/burncam"
cp completions/_burncam "$share/zsh/site-functions/"
cp completions/burncam.fish "$share/fish/vendor_completions.d/"

printf '%s\n' "$("$to/bin/burncam" --version | head -1) is in $to/bin"
case :$PATH: in *:"$to/bin":*) ;; *) printf '%s\n' "Add it to the path: export PATH=\"$to/bin:\$PATH\"" ;; esac
