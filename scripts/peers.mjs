/**
 * Makes sure that the programs which test/peers talks to are there, and installs the Debian packages of those that are
 * not. It never passes over a missing one: a test that quietly does not run proves nothing.
 */
import { spawnSync } from "node:child_process"

/** The package of each program, arguments with which it ends by itself and with 0, and what it then says. */
const programs = {
  nc: { package: "netcat-openbsd", probe: ["-h"], says: /OpenBSD netcat/ }, // others do not know -N
  // 1.7.3 does not know the option snihost, and a build may lack OpenSSL
  socat: { package: "socat", probe: ["-V"], says: /socat version 1\.(?:7\.[4-9]|[89])[^]*#define WITH_OPENSSL 1/ },
  python3: { package: "python3", probe: ["--version"], says: /Python 3/ },
  openssl: { package: "openssl", probe: ["version"], says: /OpenSSL 3/ },
  // not in the path of everybody
  "/usr/sbin/haproxy": { package: "haproxy", probe: ["-vv"], says: /HAProxy version (?:2\.[4-9]|[3-9])[^]*\+OPENSSL/ },
  ncat: { package: "ncat", probe: ["--version"], says: /Ncat: Version/ },
  "systemd-socket-activate": { package: "systemd", probe: ["--version"], says: /systemd 2/ }
}

const run = (command, args) => spawnSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

const answers = ([name, { probe, says }]) => {
  const { status, stderr, stdout } = run(name, probe)
  return status === 0 && says.test(stdout + stderr)
}

const missing = () => Object.entries(programs).filter((entry) => !answers(entry)).map(([name]) => name)

const fail = (why) => {
  process.stderr.write(`hawser: ${why}.\n`)
  process.exit(1)
}

const absent = missing()
if (absent.length > 0) {
  const packages = absent.map((name) => programs[name].package)
  const hint = `please install ${packages.join(", ")} by hand (needed: ${absent.join(", ")})`
  const prefix = process.getuid?.() === 0 ? [] : ["sudo", "-n"]
  const apt = (...args) => {
    const [command, ...rest] = [...prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--quiet", ...args]
    return run(command, rest)
  }
  if (run("apt-get", ["--version"]).status !== 0) fail(`there is no apt-get on this machine; ${hint}`)
  if (prefix.length > 0 && run("sudo", ["-n", "true"]).status !== 0) fail(`installing needs root or sudo; ${hint}`)
  process.stderr.write(`hawser: installing ${packages.join(", ")} ...\n`)
  const install = () => apt("install", "--yes", "--no-install-recommends", ...packages)
  // Most images come without package lists, and old lists name versions that are gone.
  if (install().status !== 0) {
    const update = apt("update")
    const again = install()
    if (again.status !== 0) {
      const said = `${update.stderr}\n${again.stderr}`.split("\n").find((line) => line.startsWith("E: ")) ??
        "it did not say why"
      fail(`apt-get could not install ${packages.join(", ")} (${said}); ${hint}`)
    }
  }
  const still = missing()
  if (still.length > 0) fail(`${still.join(", ")} does not answer after installing ${packages.join(", ")}; ${hint}`)
}
