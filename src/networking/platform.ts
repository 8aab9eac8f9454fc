/**
 * What differs between systems and between releases of Node, asked once and in one place.
 *
 * Owns every reading of `process.platform` and `process.versions` in this folder. A caller asks for a feature, never
 * for a version.
 *
 * @module
 */

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

function nodeAtLeast(...releases: readonly (readonly [major: number, minor: number])[]): boolean {
  return releases.some((release, index) => {
    const last = index === releases.length - 1;
    return (major === release[0] && minor >= release[1]) || (last && major > release[0]);
  });
}

/** Whether the system is Windows: its local sockets are named pipes without files. */
export const isWindows: boolean = process.platform === 'win32';

/** Several processes may listen on one port (`reusePort` of `server.listen`: Node 22.12, 23.1, and a system that has it). */
export const hasReusePort: boolean =
  nodeAtLeast([22, 12], [23, 1]) && process.platform !== 'win32' && process.platform !== 'darwin';

/** The longest path of a unix socket in bytes; the system would cut a longer one off. Windows pipes have another bound. */
export const longestUnixPath: number = process.platform === 'linux' ? 107 : process.platform === 'win32' ? 256 : 103;
