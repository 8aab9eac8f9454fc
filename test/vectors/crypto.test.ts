/**
 * The crypto layer against the vectors of RFC 5869, RFC 8448, RFC 9001 appendix A and Botan's labels.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Random } from '../../src/common/index.ts';
import {
  aes128GcmSha256,
  chacha20Poly1305Sha256,
  hkdfDerived,
  hkdfExpand,
  hkdfExpandLabel,
  hkdfExtract,
  NamedGroup,
  nodeCryptoProvider as crypto,
} from '../../src/crypto/index.ts';
import type { CipherSuite, HashName } from '../../src/crypto/index.ts';

const folder = import.meta.dirname;
const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const EMPTY = new Uint8Array(0);

function vectors<T>(name: string): T {
  return JSON.parse(readFileSync(path.join(folder, 'rfc', `${name}.json`), 'utf8')) as T;
}

describe('RFC 5869 appendix A', () => {
  const { cases } = vectors<{ cases: { section: string; hash: string; [name: string]: string | number | null }[] }>(
    'rfc5869-hkdf',
  );
  const ours = cases.filter(({ hash }) => hash === 'SHA-256');

  it('has cases for our hashes', () => expect(ours.length).toBe(3));

  it.each(ours)('$section', ({ salt, IKM, PRK, info, L, OKM }) => {
    const key = hkdfExtract(crypto, 'sha256', hex(String(salt ?? '')), hex(String(IKM)));
    expect(toHex(key)).toBe(PRK);
    expect(toHex(hkdfExpand(crypto, 'sha256', key, hex(String(info)), Number(L)))).toBe(OKM);
  });

  it('section 2.3: no more than 255 blocks', () => {
    expect(hkdfExpand(crypto, 'sha256', EMPTY, EMPTY, 255 * 32).length).toBe(255 * 32);
    expect(() => hkdfExpand(crypto, 'sha256', EMPTY, EMPTY, 255 * 32 + 1)).toThrow(RangeError);
  });
});

describe("Botan's HKDF-Expand-Label", () => {
  const text = readFileSync(path.join(folder, 'botan-tls', 'hkdf_label.vec'), 'utf8');
  const cases = text.split(/\[SHA-(\d+)\]/).slice(1);
  const rows: [HashName, string, string, string, string][] = [];
  for (let index = 0; index < cases.length; index += 2) {
    const hash: HashName = cases[index] === '256' ? 'sha256' : 'sha384';
    const blocks = (cases[index + 1] as string).matchAll(
      /Secret = (.*)\nLabel = (.*)\nHashValue = (.*)\nOutput = (.*)/g,
    );
    for (const [, secret, label, value, output] of blocks) {
      rows.push([hash, String(secret), String(label), String(value), String(output)]);
    }
  }

  it('are four', () => expect(rows.length).toBe(4));

  it.each(rows)('%s', (hash, secret, label, value, output) => {
    // Botan's labels include what RFC 8446 puts before each label in another spelling.
    const info = Buffer.concat([
      Buffer.from([0, output.length / 2, label.length]),
      Buffer.from(label),
      Buffer.from([value.length / 2]),
      hex(value),
    ]);
    expect(toHex(hkdfExpand(crypto, hash, hex(secret), info, output.length / 2))).toBe(output);
  });
});

interface Trace {
  readonly title: string;
  readonly key_exchange: string;
  readonly client: { ephemeral_private_key: string; ephemeral_public_key: string };
  readonly server: { ephemeral_private_key: string; ephemeral_public_key: string };
  readonly secrets: Readonly<Record<string, string | null>>;
  readonly traffic_keys: Readonly<Record<string, { key: string; iv: string }>>;
  readonly shared_secret: string;
  readonly transcript_hashes: Readonly<Record<string, string>>;
}

/** A source that gives what it was given. */
function fixed(bytes: Uint8Array): Random {
  return {
    fill(target) {
      target.set(bytes.subarray(0, target.length));
      return target;
    },
  };
}

describe('RFC 8448', () => {
  const { sections } = vectors<{ sections: Trace[] }>('rfc8448-tls13-traces');
  const traces = sections.filter((trace) => trace.secrets['handshake_secret'] !== undefined);

  it('has traces', () => expect(traces.length).toBeGreaterThanOrEqual(4));

  it.each(traces)('$title: key agreement', ({ key_exchange, client, server, shared_secret }) => {
    const group = key_exchange === 'x25519' ? NamedGroup.x25519 : NamedGroup.secp256r1;
    const own = crypto.generateKeyAgreement(group, fixed(hex(client.ephemeral_private_key)));
    expect(toHex(own.share)).toBe(client.ephemeral_public_key);
    expect(toHex(own.agree(hex(server.ephemeral_public_key)) as Uint8Array)).toBe(shared_secret);
    const answer = crypto.answerKeyAgreement(group, own.share, fixed(hex(server.ephemeral_private_key)));
    expect(toHex(answer?.share as Uint8Array)).toBe(server.ephemeral_public_key);
    expect(toHex(answer?.secret as Uint8Array)).toBe(shared_secret);
  });

  it.each(traces)('$title: key schedule', ({ secrets, shared_secret, traffic_keys, transcript_hashes }) => {
    const zeros = new Uint8Array(32);
    const early = hkdfExtract(crypto, 'sha256', zeros, secrets['psk'] ? hex(secrets['psk']) : zeros);
    expect(toHex(early)).toBe(secrets['early_secret']);
    const handshake = hkdfExtract(crypto, 'sha256', hkdfDerived(crypto, 'sha256', early), hex(shared_secret));
    expect(toHex(handshake)).toBe(secrets['handshake_secret']);
    const context = hex(transcript_hashes['client_hello_to_server_hello'] as string);
    const traffic = hkdfExpandLabel(crypto, 'sha256', handshake, 's hs traffic', context, 32);
    expect(toHex(traffic)).toBe(secrets['server_handshake_traffic_secret']);
    const keys = traffic_keys['server_handshake'];
    expect(toHex(hkdfExpandLabel(crypto, 'sha256', traffic, 'key', EMPTY, 16))).toBe(keys?.key);
    expect(toHex(hkdfExpandLabel(crypto, 'sha256', traffic, 'iv', EMPTY, 12))).toBe(keys?.iv);
    const master = hkdfExtract(crypto, 'sha256', hkdfDerived(crypto, 'sha256', handshake), zeros);
    expect(toHex(master)).toBe(secrets['master_secret']);
  });
});

interface QuicVectors {
  readonly destination_connection_id: string;
  readonly initial_salt: string;
  readonly keys: Readonly<Record<'client' | 'server', Readonly<Record<string, string>>>>;
  readonly client_initial: Readonly<Record<string, string | number>>;
  readonly server_initial: Readonly<Record<string, string | number>>;
  readonly retry: Readonly<Record<string, string>>;
  readonly chacha20_poly1305_short_header: Readonly<Record<string, string | number>>;
}

describe('RFC 9001 appendix A', () => {
  const quic = vectors<QuicVectors>('rfc9001-quic-tls');

  it.each(['client', 'server'] as const)('A.1: keys of the %s', (side) => {
    const initial = hkdfExtract(crypto, 'sha256', hex(quic.initial_salt), hex(quic.destination_connection_id));
    const expected = quic.keys[side];
    const secret = hkdfExpandLabel(crypto, 'sha256', initial, `${side} in`, EMPTY, 32);
    expect(toHex(secret)).toBe(expected[`${side}_initial_secret`]);
    expect(toHex(hkdfExpandLabel(crypto, 'sha256', secret, 'quic key', EMPTY, 16))).toBe(expected['key']);
    expect(toHex(hkdfExpandLabel(crypto, 'sha256', secret, 'quic iv', EMPTY, 12))).toBe(expected['iv']);
    expect(toHex(hkdfExpandLabel(crypto, 'sha256', secret, 'quic hp', EMPTY, 16))).toBe(expected['hp']);
  });

  /** Seals a packet as section 5 says, opens it again, and gives its bytes with the header still unprotected. */
  function protect(
    suite: CipherSuite,
    keys: { key: string; iv: string },
    header: string,
    number: number,
    payload: Buffer,
  ): Buffer {
    const nonce = hex(keys.iv);
    for (let index = 0; index < 6; index += 1) {
      const at = nonce.length - 1 - index;
      nonce[at] = (nonce[at] as number) ^ (Math.floor(number / 256 ** index) & 0xff);
    }
    const aead = crypto.createAead(suite.aead, hex(keys.key));
    const packet = Buffer.concat([hex(header), payload, Buffer.alloc(16)]);
    const plaintext = packet.subarray(header.length / 2, packet.length - 16);
    expect(aead.seal(nonce, hex(header), plaintext, packet, header.length / 2)).toBe(payload.length + 16);
    const opened = aead.open(nonce, hex(header), packet.subarray(header.length / 2));
    expect(Buffer.from(opened as Uint8Array)).toEqual(payload);
    return packet;
  }

  const packets: [string, 'client' | 'server', Readonly<Record<string, string | number>>, Buffer][] = [
    [
      'A.2',
      'client',
      quic.client_initial,
      Buffer.concat([hex(String(quic.client_initial['crypto_frame']))], Number(quic.client_initial['payload_length'])),
    ],
    ['A.3', 'server', quic.server_initial, hex(String(quic.server_initial['payload']))],
  ];

  it.each(packets)('%s: an Initial packet of the %s', (_section, side, vector, payload) => {
    const { key, iv, hp } = quic.keys[side] as { key: string; iv: string; hp: string };
    const header = String(vector['unprotected_header']);
    const packet = protect(aes128GcmSha256, { key, iv }, header, Number(vector['packet_number']), payload);
    const expected = String(vector['protected_packet']);
    expect(packet.subarray(header.length / 2).toString('hex')).toBe(expected.slice(header.length));
    const mask = new Uint8Array(10);
    const sample = hex(String(vector['sample']));
    crypto.createHeaderProtection('aes-128-gcm', hex(hp)).masks(Buffer.concat([sample, sample]), mask);
    expect(toHex(mask)).toBe(String(vector['mask']).repeat(2));
  });

  it('A.4: the integrity tag of a Retry packet', () => {
    const aead = crypto.createAead('aes-128-gcm', hex(quic.retry['retry_key'] as string));
    const tag = new Uint8Array(16);
    const associated = hex(quic.retry['retry_pseudo_packet'] as string);
    expect(aead.seal(hex(quic.retry['retry_nonce'] as string), associated, EMPTY, tag, 0)).toBe(16);
    expect(toHex(tag)).toBe(quic.retry['retry_integrity_tag']);
  });

  it('A.5: ChaCha20-Poly1305', () => {
    const vector = quic.chacha20_poly1305_short_header as Readonly<Record<string, string>>;
    const secret = hex(vector['secret'] as string);
    for (const [label, name, length] of [
      ['quic key', 'key', 32],
      ['quic iv', 'iv', 12],
      ['quic hp', 'hp', 32],
      ['quic ku', 'ku', 32],
    ] as const) {
      expect(toHex(hkdfExpandLabel(crypto, 'sha256', secret, label, EMPTY, length))).toBe(vector[name]);
    }
    const header = vector['unprotected_header'] as string;
    const keys = { key: vector['key'] as string, iv: vector['iv'] as string };
    const payload = hex(vector['payload_plaintext'] as string);
    const packet = protect(chacha20Poly1305Sha256, keys, header, Number(vector['pn']), payload);
    expect(packet.subarray(header.length / 2).toString('hex')).toBe(vector['payload_ciphertext']);
    const mask = new Uint8Array(5);
    const protection = crypto.createHeaderProtection('chacha20-poly1305', hex(vector['hp'] as string));
    protection.masks(hex(vector['sample'] as string), mask);
    expect(toHex(mask)).toBe(vector['mask']);
  });
});
