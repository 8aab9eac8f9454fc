/**
 * TLS as the user configures it: plain data and a few callbacks, the same for TCP and for QUIC.
 *
 * Owns the shapes. Reading files is the command line's and certificates/' work, validating chains trust/'s.
 *
 * @module
 */

/** A certificate chain and its private key. Either `cert` and `key`, or `pfx`. */
export interface TlsIdentity {
  /** The chain in PEM, leaf first. */
  readonly cert?: string | Uint8Array;
  /** The private key in PEM. */
  readonly key?: string | Uint8Array;
  /** PKCS#12 in place of both. */
  readonly pfx?: Uint8Array;
  /** What opens `key` or `pfx`. */
  readonly passphrase?: string;
}

/** TLS 1.2 and 1.3 over TCP; QUIC always has 1.3. */
export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

/** TLS of a listening endpoint. */
export interface ServerTlsConfig extends TlsIdentity {
  /**
   * Further identities by server name, `*.example.com` for one label. A name that matches none gets the identity
   * above. A function is asked for each name and may answer later; it answers `undefined` for the identity above.
   */
  readonly serverNames?:
    | Readonly<Record<string, TlsIdentity>>
    | ((serverName: string) => TlsIdentity | undefined | Promise<TlsIdentity | undefined>);
  /** Whether the client shall show a certificate. Default `'none'`. With `'require'` an unverified client gets nothing. */
  readonly clientCertificate?: 'none' | 'request' | 'require';
  /** PEM of the authorities that client certificates are checked against. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Default `'TLSv1.2'`. */
  readonly minVersion?: TlsVersion;
  /** Whether sessions may be resumed. Default true. */
  readonly resumption?: boolean;
  /**
   * 48 random bytes that protect session tickets over TCP, so that several processes accept each other's (RFC 8446
   * section 4.6.1). Whoever has them can read what resumed TLS 1.2 sessions carry: make them anew every few hours.
   * Default: made by each listener, and anew at each update.
   */
  readonly ticketKeys?: Uint8Array;
  /** Called with each line of the NSS key log. Only for debugging: it opens the traffic. */
  readonly keylog?: (line: string) => void;
}

/** What a user's own check of a server's certificate is told. */
export interface CertificateCheck {
  /** The chain in DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  /** The host that the connection is for. */
  readonly host: string;
}

/** TLS of an opened connection. */
export interface ClientTlsConfig {
  /** PEM of the authorities to trust in place of the system's. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** PEM of authorities to trust besides those. */
  readonly extraCa?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** The client's own certificate. */
  readonly identity?: TlsIdentity;
  /** Accept any certificate. Default false. */
  readonly insecure?: boolean;
  /** The name that is sent and checked, when it is not the origin's host. */
  readonly serverName?: string;
  /** SHA-256 of SubjectPublicKeyInfo in base64; one certificate of the chain must match one. */
  readonly pins?: readonly string[];
  /** A further check, after all others; it throws to refuse. */
  readonly verify?: (check: CertificateCheck) => void | Promise<void>;
  /** Default `'TLSv1.2'`. */
  readonly minVersion?: TlsVersion;
  /** Whether sessions are resumed. Default true. */
  readonly resumption?: boolean;
  /** Called with each line of the NSS key log. Only for debugging: it opens the traffic. */
  readonly keylog?: (line: string) => void;
}

/** What is known of an established TLS connection. */
export interface TlsFacts {
  /** `TLSv1.3` */
  readonly version: string;
  /** The cipher suite's standard name. */
  readonly cipher: string;
  /** The protocol agreed by ALPN (RFC 7301), or `undefined`. */
  readonly alpn: string | undefined;
  /** The name the client asked for, or `undefined`. */
  readonly serverName: string | undefined;
  /** Whether an earlier session was resumed. */
  readonly resumed: boolean;
  /** Whether the peer showed a certificate that was verified. */
  readonly authorized: boolean;
  /** The peer's leaf certificate in DER, or `undefined`. */
  readonly peerCertificate: Uint8Array | undefined;
}
