/**
 * Finds the blocks of a PEM text (RFC 7468), and says what a file is that is none.
 *
 * Owns no cryptography: a block found here still has to be read by node:crypto. Linear in the text's length.
 *
 * @module
 */

/** One block. */
export interface PemBlock {
  /** `CERTIFICATE`, `PRIVATE KEY`, `EC PRIVATE KEY` … */
  readonly label: string;
  /** From the BEGIN line to the END line, both included. */
  readonly text: string;
}

/** The complete blocks of a text in order; what stands around them is ignored, a block without its END is left out. */
export function pemBlocks(text: string): PemBlock[] {
  const blocks: PemBlock[] = [];
  let position = 0;
  for (;;) {
    const begin = text.indexOf(BEGIN, position);
    if (begin < 0) return blocks;
    const labelEnd = text.indexOf(DASHES, begin + BEGIN.length);
    if (labelEnd < 0) return blocks;
    const label = text.slice(begin + BEGIN.length, labelEnd);
    const endLine = `-----END ${label}-----`;
    const end = label.length > MAX_LABEL ? -1 : text.indexOf(endLine, labelEnd);
    if (end < 0) {
      position = labelEnd;
    } else {
      position = end + endLine.length;
      blocks.push({ label, text: `${text.slice(begin, position)}\n` });
    }
  }
}

/** Whether the block is a private key of any format. */
export function isPrivateKeyBlock(block: PemBlock): boolean {
  return block.label.endsWith('PRIVATE KEY');
}

/** Whether the block is a certificate. */
export function isCertificateBlock(block: PemBlock): boolean {
  return block.label === 'CERTIFICATE' || block.label === 'X509 CERTIFICATE' || block.label === 'TRUSTED CERTIFICATE';
}

/** Whether a private key block is encrypted, in PKCS#8 or in the older form (RFC 1421 headers). */
export function isEncryptedKeyBlock(block: PemBlock): boolean {
  return block.label === 'ENCRYPTED PRIVATE KEY' || block.text.includes('Proc-Type: 4,ENCRYPTED');
}

/** Whether a block was begun and never ended: a file cut off in the middle. */
export function isCutOff(text: string): boolean {
  const begin = text.lastIndexOf(BEGIN);
  return begin >= 0 && !text.includes('-----END ', begin);
}

const BEGIN = '-----BEGIN ';
const DASHES = '-----';
const MAX_LABEL = 60;
