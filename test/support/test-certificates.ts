/**
 * Certificates for tests, good and bad, made on the spot by node-forge.
 *
 * @module
 */
import { generateKeyPairSync } from 'node:crypto';
import forge from 'node-forge';

/** What a certificate for a test shall be. */
export interface TestCertificateOptions {
  readonly names?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly usage?: 'server' | 'client' | 'both';
  readonly commonName?: string;
  /** Who signs; without it the certificate signs itself. */
  readonly issuer?: TestIdentity;
  readonly authority?: boolean;
}

/** A certificate, its chain and its key. */
export interface TestIdentity {
  /** The leaf alone. */
  readonly certPem: string;
  /** Leaf first, without a root. */
  readonly cert: string;
  readonly key: string;
  readonly certificate: forge.pki.Certificate;
  readonly privateKey: forge.pki.rsa.PrivateKey;
}

const DAY = 86_400_000;
let serial = 1;

/** Makes a certificate with a new key. */
export function makeCertificate(options: TestCertificateOptions = {}): TestIdentity {
  const pair = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs1', format: 'pem' },
  });
  const privateKey = forge.pki.privateKeyFromPem(pair.privateKey);
  const certificate = forge.pki.createCertificate();
  certificate.publicKey = forge.pki.publicKeyFromPem(pair.publicKey);
  serial += 1;
  certificate.serialNumber = serial.toString(16).padStart(4, '0');
  certificate.validity.notBefore = options.notBefore ?? new Date(Date.now() - DAY);
  certificate.validity.notAfter = options.notAfter ?? new Date(Date.now() + 30 * DAY);
  const subject = [{ name: 'commonName', value: options.commonName ?? `test ${String(serial)}` }];
  certificate.setSubject(subject);
  certificate.setIssuer(options.issuer?.certificate.subject.attributes ?? subject);
  certificate.setExtensions(extensionsOf(options));
  certificate.sign(options.issuer?.privateKey ?? privateKey, forge.md.sha256.create());
  const certPem = forge.pki.certificateToPem(certificate);
  const { issuer } = options;
  const above = issuer === undefined || isRoot(issuer) ? '' : issuer.cert;
  return { certPem, cert: certPem + above, key: pair.privateKey, certificate, privateKey };
}

function isRoot(identity: TestIdentity): boolean {
  return identity.certificate.isIssuer(identity.certificate);
}

function extensionsOf(options: TestCertificateOptions): object[] {
  if (options.authority === true) {
    return [
      { name: 'basicConstraints', cA: true, critical: true },
      { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
      { name: 'subjectKeyIdentifier' },
    ];
  }
  const usage = options.usage ?? 'server';
  const altNames = (options.names ?? ['localhost', '127.0.0.1', '::1']).map((name) =>
    /^[\d.]+$|:/.test(name) ? { type: 7, ip: name } : { type: 2, value: name },
  );
  const extensions: object[] = [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: usage !== 'client', clientAuth: usage !== 'server' },
  ];
  if (altNames.length > 0) extensions.push({ name: 'subjectAltName', altNames });
  return extensions;
}

/** An authority, what it has issued for loopback names, and a client's certificate. Made once per process. */
export interface TestPki {
  readonly ca: TestIdentity;
  readonly server: TestIdentity;
  readonly client: TestIdentity;
}

let pki: TestPki | undefined;

/** The certificates that most tests need. */
export function testPki(): TestPki {
  if (pki === undefined) {
    const ca = makeCertificate({ authority: true, commonName: 'test authority' });
    pki = {
      ca,
      server: makeCertificate({ issuer: ca }),
      client: makeCertificate({ issuer: ca, usage: 'client', names: ['client.test'] }),
    };
  }
  return pki;
}
