/**
 * What CertificateVerify signs (RFC 8446 section 4.4.3).
 *
 * @module
 */

const PADDING = 64;

/** The content that is signed. @param transcript - the hash up to Certificate */
export function signedContent(side: 'client' | 'server', transcript: Uint8Array): Uint8Array {
  const label = `TLS 1.3, ${side} CertificateVerify`;
  const content = new Uint8Array(PADDING + label.length + 1 + transcript.length);
  content.fill(0x20, 0, PADDING);
  for (let index = 0; index < label.length; index += 1) content[PADDING + index] = label.charCodeAt(index);
  content.set(transcript, PADDING + label.length + 1);
  return content;
}
