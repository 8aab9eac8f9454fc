/**
 * Going where the server wants to be found.
 *
 * Owns the client's side of RFC 9000 section 9.6: which of the addresses is of use, and that it is validated first.
 *
 * @module
 */
import type { ConnectionState } from './connection-state.ts';
import type { PreferredAddress } from './transport-parameters.ts';

/** Client, once the handshake is confirmed: tests the server's preferred address, and goes there when it works. */
export function followPreferredAddress(state: ConnectionState): void {
  const { config, peer, paths } = state;
  const { local, remote } = paths.current.network;
  const target = otherTarget(peer.preferredAddress, remote);
  if (target === undefined) return;
  if (config.role === 'client' && config.socketPerPath) {
    state.notice({ type: 'PreferredAddressOffered', remote: target });
  } else paths.probe({ local, remote: target }, true, state.now);
}

/** Whether a client may go to this remote address: disable_active_migration says nothing of the preferred one (section 18.2). */
export function mayMoveTo(state: ConnectionState, remote: string): boolean {
  const { disableActiveMigration, preferredAddress } = state.peer;
  if (!disableActiveMigration) return true;
  return preferredAddress !== undefined && preferredTarget(preferredAddress, remote.startsWith('[')) === remote;
}

/** Where to go from `remote`; `undefined`: stay. A socket reaches addresses of its own family only. */
function otherTarget(preferred: PreferredAddress | undefined, remote: string): string | undefined {
  if (preferred === undefined) return undefined;
  const target = preferredTarget(preferred, remote.startsWith('['));
  return target === remote ? undefined : target;
}

/** `host:port` of the address of a family; `undefined` where the server has none. */
export function preferredTarget(preferred: PreferredAddress, ipv6: boolean): string | undefined {
  const endpoint = ipv6 ? preferred.ipv6 : preferred.ipv4;
  if (endpoint === undefined) return undefined;
  const { address, port } = endpoint;
  const host = ipv6 ? `[${ipv6Text(address)}]` : address.join('.');
  return `${host}:${String(port)}`;
}

/** Eight groups, the longest run of zeros cut short (RFC 5952 section 4). */
function ipv6Text(address: Uint8Array): string {
  const groups: number[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(((address[at] as number) << 8) | (address[at + 1] as number));
  let start = -1;
  let length = 1;
  for (let from = 0; from < groups.length; from += 1) {
    let to = from;
    while (to < groups.length && groups[to] === 0) to += 1;
    if (to - from > length) {
      start = from;
      length = to - from;
    }
  }
  const text = groups.map((group) => group.toString(16));
  if (start < 0) return text.join(':');
  return `${text.slice(0, start).join(':')}::${text.slice(start + length).join(':')}`;
}
