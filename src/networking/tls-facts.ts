/**
 * What an established TLS socket tells of itself.
 *
 * @module
 */
import type { PeerCertificate, TLSSocket } from 'node:tls';
import type { TlsFacts } from '../common/index.ts';
import { callUser } from '../concurrency/index.ts';

/**
 * The facts of a TLS socket whose handshake is done.
 *
 * @param authorized - whether the peer's certificate was verified
 */
export function tlsFactsOf(socket: TLSSocket, serverName: string | undefined, authorized: boolean): TlsFacts {
  const alpn = socket.alpnProtocol;
  const facts: TlsFacts = {
    version: known(socket.getProtocol() ?? 'unknown'),
    cipher: known(socket.getCipher().standardName),
    alpn: typeof alpn === 'string' && alpn !== '' ? alpn : undefined,
    serverName,
    resumed: socket.isSessionReused(),
    authorized,
    peerCertificate: socket.getPeerX509Certificate()?.raw,
  };
  if (lastFacts === undefined || !sameFacts(lastFacts, facts)) lastFacts = facts;
  return lastFacts;
}

/** Those of the connection before: the next has the same mostly, and each is held as long as its connection. */
let lastFacts: TlsFacts | undefined;

function sameFacts(one: TlsFacts, other: TlsFacts): boolean {
  return (
    one.version === other.version &&
    one.cipher === other.cipher &&
    one.alpn === other.alpn &&
    one.serverName === other.serverName &&
    one.resumed === other.resumed &&
    one.authorized === other.authorized &&
    one.peerCertificate === undefined &&
    other.peerCertificate === undefined
  );
}

/** The same string for equal names: Node makes a new one for each connection. There are few of them. */
function known(name: string): string {
  const first = NAMES.get(name);
  if (first !== undefined) return first;
  NAMES.set(name, name);
  return name;
}

const NAMES = new Map<string, string>();

/** The name that the client of a server's socket asked for. */
export function requestedName(socket: TLSSocket): string | undefined {
  // Missing in the types: `false` without SNI.
  const { servername } = socket as TLSSocket & { readonly servername?: unknown };
  return typeof servername === 'string' && servername !== '' ? servername : undefined;
}

/** The peer's chain in DER, leaf first, up to the authority where that is known. */
export function peerChainOf(socket: TLSSocket): Uint8Array[] {
  const chain: Uint8Array[] = [];
  let certificate: PeerCertificate | undefined = socket.getPeerCertificate(true);
  // A root is its own issuer. The bound is for chains that run in a circle.
  while (certificate?.raw !== undefined && chain.length < LONGEST_CHAIN) {
    chain.push(certificate.raw);
    const issuer: PeerCertificate | undefined = (certificate as { issuerCertificate?: PeerCertificate })
      .issuerCertificate;
    certificate = issuer === certificate ? undefined : issuer;
  }
  return chain;
}

/** Hands a line of the key log to a user's callback. */
export function tellKey(keylog: (line: string) => void, line: Buffer): void {
  // A log that cannot be written disturbs no connection.
  callUser(keylog, [line.toString('latin1').trimEnd()]);
}

const LONGEST_CHAIN = 20;
