/**
 * Brings the peers of the interop tests onto a Debian machine, without starting any daemon, and fails when one is
 * missing afterwards. Does nothing where all are there.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** The program that a test starts, and the Debian package that brings it. */
const peers = {
  curl: 'curl',
  nghttp: 'nghttp2-client',
  nghttpd: 'nghttp2-server',
  gtlsclient: 'ngtcp2-client',
  gtlsserver: 'ngtcp2-server',
  caddy: 'caddy',
  nginx: 'nginx-light',
  wrk: 'wrk',
  chromium: 'chromium',
  'firefox-esr': 'firefox-esr',
  certutil: 'libnss3-tools',
  tshark: 'tshark',
  squid: 'squid',
  tinyproxy: 'tinyproxy',
  openssl: 'openssl',
  hypercorn: 'python3-hypercorn',
  bash: 'bash',
  zsh: 'zsh',
  fish: 'fish',
};

/**
 * Whether a program is on the path, or where Debian keeps daemons.
 * @param {string} name the program
 * @returns {boolean} whether it can be run
 */
function present(name) {
  const places = [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'];
  return places.some((place) => {
    try {
      accessSync(path.join(place, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** @returns {string[]} the peers that are not there */
function missing() {
  return Object.keys(peers).filter((name) => !present(name));
}

/** @param {string[]} packages Debian packages to install */
function install(packages) {
  // Package scripts ask this file whether they may start their daemon; 101 says no.
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
    for (const args of [
      ['-q', 'update'],
      ['-q', 'install', '-y', '--no-install-recommends', ...packages],
    ]) {
      spawnSync('apt-get', args, { stdio: ['ignore', 'inherit', 'inherit'], env });
    }
  } finally {
    if (ours) rmSync(policy);
  }
}

const wanted = missing();
if (wanted.length > 0) {
  if (process.getuid?.() === 0) install(wanted.map((name) => peers[/** @type {keyof typeof peers} */ (name)]));
  else process.stdout.write('not root: no package can be installed\n');
}
for (const name of missing()) process.stdout.write(`missing: ${name}\n`);
process.exitCode = missing().length > 0 ? 1 : 0;
