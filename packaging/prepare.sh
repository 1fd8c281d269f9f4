# SPDX-License-Identifier: MIT
# Sourced by packaging/demo and packaging/check: what a fresh Debian 12 needs.

# To build, and for the demo: the libraries that CMakeLists.txt asks for.
packages_build="gcc libc6-dev cmake ninja-build pkg-config python3
libevent-dev libprotobuf-c-dev protobuf-c-compiler libserialport-dev
libsqlite3-dev libconfuse-dev libsmartcols-dev libjansson-dev libcmocka-dev
libssl-dev"

# To test it, and to check its text as well.
packages_test="python3-jsonschema openssl"
packages_check="clang clang-tidy cppcheck"

# say LINE...
say() {
	printf '%s\n' "$@"
}

die() {
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

missing_packages() {
	local p

	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q 'ok installed' || printf '%s ' "$p"
	done
}

# install_packages NAME...: with apt, saying so; silent when all are there.
install_packages() {
	local missing

	command -v dpkg-query >/dev/null ||
		{ say "not a Debian system: taking what is installed"; return; }
	missing=$(missing_packages "$@")
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] ||
		die "missing packages, as root: apt-get install -y" \
			"--no-install-recommends $missing"
	say "installing with apt: $missing"
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq || say "apt-get update failed; trying anyway"
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >/dev/null ||
		die "apt-get could not install them"
}

# The users of the tests and the demo: nobody of them may do anything here.
# Only root can make them; without them everything runs as the caller.
make_users() {
	local u

	[ "$(id -u)" = 0 ] || return 0
	getent group modem >/dev/null || groupadd --system modem
	for u in modemd-check modemd-client-a modemd-client-b; do
		getent passwd "$u" >/dev/null && continue
		say "making the system user $u"
		useradd --system --user-group --no-create-home \
			--home-dir /nonexistent --shell /usr/sbin/nologin "$u"
	done
	for u in modemd-check modemd-client-a modemd-client-b; do
		id -nG "$u" | grep -qw modem || usermod -a -G modem "$u"
	done
}
