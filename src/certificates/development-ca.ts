/**
 * The development CA: opened or made on the spot, and what it issues.
 *
 * Owns the order of steps; the folder is certificate-store's, the certificates authority's and leaf's. Safe under two
 * processes at once and under a crash at any step (see certificate-store.ts). The CA is replaced when it is about to
 * expire or its file is damaged, and the caller is told, since whoever trusted the old one must trust the new one. It is
 * not replaced but refused when its key is open to other users.
 *
 * @module
 */
import { ConfigurationError } from '../common/index.ts';
import { callUser } from '../concurrency/index.ts';
import { authorityText, createAuthority, isAuthorityDue, ownScope, readAuthority } from './authority.ts';
import type { Authority } from './authority.ts';
import { CertificateStore } from './certificate-store.ts';
import { developmentDataDirectory } from './data-directory.ts';
import { readCertificate } from './describe.ts';
import { issueLeaf, leafId, leafText, readLeaf, readLeafOptions, validity, withPkcs12 } from './leaf.ts';
import type { IssuedIdentity, LeafOptions, LeafRequest } from './leaf.ts';
import { day, messageOf, NAME_CODE, printable, STORE_CODE } from './messages.ts';
import { describeScope, nameScope } from './names.ts';
import { shellQuoted } from './private-files.ts';
import { systemWallClock } from './system.ts';
import type { WallClock } from './system.ts';

/** What happened to the CA or to a leaf, for a line on the terminal. */
export interface CertificateNotice {
  readonly type:
    | 'CaCreated'
    /** The old one was about to expire. */
    | 'CaRenewed'
    /** The old one's file was damaged. */
    | 'CaReplaced'
    /** In memory only: nobody can trust it beyond this process. */
    | 'CaEphemeral'
    | 'LeafIssued'
    /** A leaf was issued, and could not be written for next time. */
    | 'LeafNotKept'
    /** A running server could not renew its leaf; it goes on with the old one and tries again. */
    | 'RenewalFailed';
  /** One line. */
  readonly message: string;
  /** What failed, or `undefined`. */
  readonly error: unknown;
}

/** Where the development CA lies and how it is made. */
export interface DevelopmentCaOptions {
  /** The folder. Default: see {@link developmentDataDirectory}. */
  readonly directory?: string;
  /**
   * Whether a CA that is made now may also sign names and addresses of private networks (`.local`, `.test`,
   * `.internal`, `.home.arpa`, RFC 1918, link-local, unique local). Default false: loopback only. A CA that is there
   * keeps what it has; asking for more than it has is an error.
   */
  readonly privateNetworks?: boolean;
  /** Keep everything in memory and touch no file. Default false. */
  readonly ephemeral?: boolean;
  /** Wall time in milliseconds since 1970. Default: the system's. */
  readonly now?: WallClock;
  /** Told what was made. What it throws is ignored. */
  readonly onNotice?: (notice: CertificateNotice) => void;
}

/** A development CA that can sign. */
export interface DevelopmentCa {
  /** Its certificate in PEM: what a client must trust. */
  readonly certificatePem: string;
  /** The file with that certificate, for `curl --cacert`; `undefined` for an ephemeral CA. */
  readonly certificatePath: string | undefined;
  /** SHA-256 of the certificate: uppercase hexadecimal, colons between bytes. */
  readonly fingerprint256: string;
  /** Milliseconds since 1970. */
  readonly notBefore: number;
  /** Milliseconds since 1970. */
  readonly notAfter: number;
  /** What it may sign: `localhost`, `*.localhost`, `127.0.0.0/8` … */
  readonly permittedNames: readonly string[];
  /** Whether it lives in memory only. */
  readonly ephemeral: boolean;
  /** Issues a new certificate, kept nowhere. @throws ConfigurationError for names that the CA may not sign */
  issue(options?: LeafOptions): Promise<IssuedIdentity>;
  /**
   * The certificate that lies in the folder for these options, while more than a third of its life is left; else a new
   * one, which is kept there.
   *
   * @throws ConfigurationError for names that the CA may not sign
   */
  leaf(options?: LeafOptions): Promise<IssuedIdentity>;
}

/**
 * Opens the development CA, and makes it if there is none, if it has less than 30 days left, or if its file is damaged.
 *
 * @throws ConfigurationError when the folder cannot be used, when the key is open to other users, when the clock is
 *   before the CA's time, when private networks are asked of a CA without them
 */
export async function openDevelopmentCa(options: DevelopmentCaOptions = {}): Promise<DevelopmentCa> {
  const now = options.now ?? systemWallClock;
  const notify = notifier(options.onNotice);
  const wanted = nameScope(options.privateNetworks === true ? 'private' : 'loopback');
  if (options.ephemeral === true) {
    const authority = await createAuthority(wanted, now());
    notify('CaEphemeral', 'made a development CA in memory; it ends with this process and nobody trusts it');
    return new OpenCa(authority, undefined, now, notify);
  }
  const store = new CertificateStore(developmentDataDirectory(options.directory));
  await store.prepare();
  const authority = await openStored(store, options.privateNetworks === true, now, notify);
  await store.publishCertificate(authority.certificatePem);
  return new OpenCa(authority, store, now, notify);
}

/**
 * The certificate of the development CA, for clients that want to trust it. Reads only; the key is not needed.
 *
 * @returns PEM, or `undefined` when there is none
 * @throws ConfigurationError when the file cannot be read, can be changed by others, or holds something else
 */
export async function developmentCaCertificate(
  options: Pick<DevelopmentCaOptions, 'directory'> = {},
): Promise<string | undefined> {
  const store = new CertificateStore(developmentDataDirectory(options.directory));
  const text = await store.readCertificate();
  if (text === undefined) return undefined;
  if (ownScope(readCertificate(text, printable(store.certificatePath))) !== undefined) return text;
  throw new ConfigurationError(`${printable(store.certificatePath)} is no development CA of hface-ts`, {
    code: STORE_CODE,
    hint: `delete it: the next server with a development certificate writes it again`,
  });
}

/**
 * Deletes the development CA with its key and its certificates, nothing else. Trust stores that the certificate was
 * added to keep it; there it has to be removed by hand.
 *
 * @returns the paths that were deleted
 * @throws ConfigurationError when the disk refuses
 */
export async function removeDevelopmentCa(options: Pick<DevelopmentCaOptions, 'directory'> = {}): Promise<string[]> {
  return new CertificateStore(developmentDataDirectory(options.directory)).removeAll();
}

/** Passes a notice on. */
type Notify = (type: CertificateNotice['type'], message: string, error?: unknown) => void;

/** The callback of the options, made harmless. */
export function notifier(onNotice: DevelopmentCaOptions['onNotice']): Notify {
  return (type, message, error) => {
    // A caller's callback decides nothing here.
    if (onNotice !== undefined) callUser(onNotice, [{ type, message, error }]);
  };
}

class OpenCa implements DevelopmentCa {
  readonly #authority: Authority;
  readonly #store: CertificateStore | undefined;
  readonly #now: WallClock;
  readonly #notify: Notify;

  constructor(authority: Authority, store: CertificateStore | undefined, now: WallClock, notify: Notify) {
    this.#authority = authority;
    this.#store = store;
    this.#now = now;
    this.#notify = notify;
  }

  get certificatePem(): string {
    return this.#authority.certificatePem;
  }

  get certificatePath(): string | undefined {
    return this.#store?.certificatePath;
  }

  get fingerprint256(): string {
    return this.#authority.certificate.fingerprint256;
  }

  get notBefore(): number {
    return this.#authority.notBefore;
  }

  get notAfter(): number {
    return this.#authority.notAfter;
  }

  get permittedNames(): readonly string[] {
    return describeScope(this.#authority.scope);
  }

  get ephemeral(): boolean {
    return this.#store === undefined;
  }

  async issue(options: LeafOptions = {}): Promise<IssuedIdentity> {
    return this.#issue(readLeafOptions(options));
  }

  async leaf(options: LeafOptions = {}): Promise<IssuedIdentity> {
    const request = readLeafOptions(options);
    const store = this.#store;
    if (store === undefined) return this.#issue(request);
    const id = leafId(request);
    const text = await store.readLeaf(id);
    const kept = text === undefined ? undefined : readLeaf(text, this.#authority, request, this.#now());
    if (kept !== undefined) return withPkcs12(kept, request);
    const issued = await this.#issue(request);
    try {
      await store.writeLeaf(id, leafText(issued));
    } catch (error) {
      // The folder has become read-only since the CA was made: a server can run all the same.
      this.#notify('LeafNotKept', `the certificate is not kept for next time: ${messageOf(error)}`, error);
    }
    return issued;
  }

  async #issue(request: LeafRequest): Promise<IssuedIdentity> {
    const issued = await issueLeaf(this.#authority, request, this.#now());
    this.#notify('LeafIssued', `issued a certificate for ${issued.names.join(', ')}, ${validity(issued)}`);
    return issued;
  }
}

async function openStored(
  store: CertificateStore,
  privateNetworks: boolean,
  now: WallClock,
  notify: Notify,
): Promise<Authority> {
  // Each turn either finds a CA that will do, or has moved the newest generation on: by this process or by another.
  let published = 0;
  for (let turn = 0; turn < MAX_TURNS; turn += 1) {
    const generation = await store.newestGeneration();
    const text = generation === 0 ? undefined : await store.readGeneration(generation);
    if (text === undefined && (await store.newestGeneration()) !== generation) continue;
    const found = text === undefined ? 'its file is missing' : readAuthority(text);
    if (typeof found !== 'string') {
      checkClock(found, now());
      if (!isAuthorityDue(found, now())) {
        if (privateNetworks) checkPrivate(found, store);
        await store.prune(generation);
        return found;
      }
    }
    // What this process has just written does not come back as it was: a new attempt would only add to it.
    if (generation === published && generation > 0) break;
    const inherited = typeof found === 'string' ? 'loopback' : found.scope.name;
    const made = await createAuthority(nameScope(privateNetworks ? 'private' : inherited), now());
    if (!(await store.publishGeneration(generation + 1, authorityText(made)))) continue;
    published = generation + 1;
    announce(notify, generation, found, made, store);
  }
  throw new ConfigurationError(`the development CA in ${printable(store.directory)} cannot be read back`, {
    code: STORE_CODE,
    hint: 'set HFACE_DATA_DIR to a folder on another disk',
  });
}

function announce(
  notify: Notify,
  generation: number,
  found: Authority | string,
  made: Authority,
  store: CertificateStore,
): void {
  const place = `${printable(store.certificatePath)}, until ${day(made.notAfter)}`;
  if (generation === 0) notify('CaCreated', `made a development CA: ${place}`);
  else if (typeof found === 'string') {
    notify('CaReplaced', `the development CA was replaced, because ${found}; trust the new one: ${place}`);
  } else notify('CaRenewed', `the development CA was about to expire; trust the new one: ${place}`);
}

function checkClock(authority: Authority, now: number): void {
  if (now >= authority.notBefore) return;
  throw new ConfigurationError(
    `the development CA is valid from ${day(authority.notBefore)} on, and the clock says ${day(now)}`,
    { code: STORE_CODE, hint: 'set the clock' },
  );
}

function checkPrivate(authority: Authority, store: CertificateStore): void {
  if (authority.scope.name === 'private') return;
  throw new ConfigurationError('the development CA was made for loopback names only, not for private networks', {
    code: NAME_CODE,
    hint: `delete ${shellQuoted(store.directory)} and start again; the new CA has to be trusted anew`,
  });
}

/** More than enough for any number of processes: each lost turn is another process's success. */
const MAX_TURNS = 10;
