// sigstore-js as a signer, against any instance. The identity token is read from SIGSTORE_IDENTITY_TOKEN.
//   node sign.mjs --config SIGNING_CONFIG.json --kind statement|artifact --bundle OUT FILE
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { bundleToJSON } from '@sigstore/bundle';
import { SigningConfig } from '@sigstore/protobuf-specs';
import { bundleBuilderFromSigningConfig } from '@sigstore/sign';

const options = Object.fromEntries(['config', 'kind', 'bundle'].map((name) => [name, { type: 'string' }]));
const { values, positionals } = parseArgs({ options, allowPositionals: true });
const signingConfig = SigningConfig.fromJSON(JSON.parse(readFileSync(values.config, 'utf8')));
if (signingConfig.tsaUrls.length === 0) {
  signingConfig.tsaConfig = undefined; // else the library insists on an authority
}
const builder = bundleBuilderFromSigningConfig({
  signingConfig,
  identityProvider: { getToken: async () => process.env.SIGSTORE_IDENTITY_TOKEN },
  bundleType: values.kind === 'statement' ? 'dsseEnvelope' : 'messageSignature',
});
const artifact = { data: readFileSync(positionals[0]), type: 'application/vnd.in-toto+json' };
writeFileSync(values.bundle, JSON.stringify(bundleToJSON(await builder.create(artifact))));
