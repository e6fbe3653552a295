// sigstore-js as a judge, with no network. Prints one line of JSON; exit code 0 if it accepts the bundle, else 1.
//   node verify.mjs --bundle FILE --root FILE --identity NAME --issuer URL [--artifact FILE]
//   node verify.mjs --bundle FILE --root FILE --identity NAME [--artifact FILE]     (a certificate of another authority)
//   node verify.mjs --bundle FILE --key PUBLIC.pem [--artifact FILE]
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundleFromJSON } from '@sigstore/bundle';
import { TrustedRoot } from '@sigstore/protobuf-specs';
import { Verifier, toSignedEntity, toTrustMaterial } from '@sigstore/verify';

const names = ['bundle', 'root', 'identity', 'issuer', 'key', 'artifact'];
const { values } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const readJson = (path) => JSON.parse(readFileSync(path, 'utf8'));

// The library matches identities by regular expression; we expect exactly one.
const exactly = (text) => `^${text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`;

function byKey(pem) {
  const key = createPublicKey(pem).export({ type: 'spki', format: 'der' });
  const trust = toTrustMaterial(TrustedRoot.fromJSON({}), () => ({
    publicKey: createPublicKey({ key, type: 'spki', format: 'der' }),
    validFor: () => true,
  }));
  return [new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }), undefined];
}

function byIdentity({ root, identity, issuer }) {
  const trust = toTrustMaterial(TrustedRoot.fromJSON(readJson(root)));
  const policy = { subjectAlternativeName: exactly(identity), extensions: issuer ? { issuer } : {} };
  const logs = issuer ? 1 : 0; // only Sigstore's own certificates name an issuer, and are in logs
  return [new Verifier(trust, { tlogThreshold: logs, ctlogThreshold: logs, timestampThreshold: 1 }), policy];
}

try {
  const [verifier, policy] = values.key ? byKey(readFileSync(values.key)) : byIdentity(values);
  const artifact = values.artifact ? readFileSync(values.artifact) : undefined;
  const signer = verifier.verify(toSignedEntity(bundleFromJSON(readJson(values.bundle)), artifact), policy);
  console.log(JSON.stringify({ accepted: true, identity: signer.identity?.subjectAlternativeName ?? null }));
} catch (error) {
  const said = [error.code ?? error.name, error.message, ...(error.fields ?? [])].join(' ');
  console.log(JSON.stringify({ accepted: false, said }));
  process.exitCode = 1;
}
