/**
 * The cases of x509-limbo that come out otherwise, and why that is left so.
 *
 * What RFC 5280 section 4 asks of those who make certificates is not what section 6 asks of those who check them.
 * OpenSSL, which checks the same chains over TCP, accepts each of those that are accepted here.
 *
 * @module
 */

const FOR_ISSUERS = 'a rule for authorities (RFC 5280 section 4), not of path validation (section 6)';
const FOR_THE_WEB = 'a rule of the Baseline Requirements for public authorities; private ones need not keep it';

/** Reasons by case. */
export const limboShortfalls: Readonly<Record<string, string>> = {
  'pathlen::validation-ignores-pathlen-in-leaf': 'refused: its key usage does not allow the signature of TLS 1.3',
  'rfc5280::nc::permitted-dn-match': 'refused: it has no DNS name at all, so it is not for the host',
  'pathlen::max-chain-depth-0-exhausted': 'there is no option for a maximum depth',
  'pathlen::max-chain-depth-1-exhausted': 'there is no option for a maximum depth',
  'rfc5280::aki::leaf-missing-aki': FOR_ISSUERS,
  'rfc5280::aki::intermediate-missing-aki': FOR_ISSUERS,
  'rfc5280::nc::permitted-dns-match-noncritical': 'the suite itself wants the opposite in webpki::nc',
  'rfc5280::serial::too-long': FOR_ISSUERS,
  'rfc5280::serial::zero': FOR_ISSUERS,
  'rfc5280::ski::root-missing-ski': FOR_ISSUERS,
  'rfc5280::ski::intermediate-missing-ski': FOR_ISSUERS,
  'rfc5280::root-non-critical-basic-constraints': FOR_ISSUERS,
  'webpki::aki::root-with-aki-missing-keyidentifier': FOR_THE_WEB,
  'webpki::eku::ee-anyeku': FOR_THE_WEB,
  'webpki::eku::ee-critical-eku': FOR_THE_WEB,
  'webpki::eku::ee-without-eku': FOR_THE_WEB,
  'webpki::eku::root-has-eku': FOR_THE_WEB,
  'webpki::san::san-critical-with-nonempty-subject': FOR_THE_WEB,
  'webpki::malformed-aia': 'the extension is not read: nothing is fetched by it',
};
