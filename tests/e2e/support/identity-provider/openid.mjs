// oidc-provider (https://github.com/panva/node-oidc-provider) as a provider that people sign in with. Lines of JSON on its standard input set
// `redirect_uri` and `accounts` (by login name); its first line on standard output is its issuer, and one more follows each line of input.
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

import { Provider } from 'oidc-provider';

let accounts = {};
let handle = (_, response) => response.writeHead(503).end();

function provider(issuer, redirectUri) {
  return new Provider(issuer, {
    clients: [{ client_id: 'mikrocloud', client_secret: 'not-so-secret', redirect_uris: [redirectUri] }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'], groups: ['groups'] },
    scopes: ['openid', 'email', 'profile', 'groups'],
    pkce: { required: () => true },
    cookies: { keys: ['for tests only'] },
    features: { devInteractions: { enabled: true } },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }),
  });
}

const server = createServer((request, response) => handle(request, response));
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  console.log(issuer);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      const settings = JSON.parse(line);
      accounts = settings.accounts ?? accounts;
      if (settings.redirect_uri) handle = provider(issuer, settings.redirect_uri).callback();
      console.log('done');
    })
    .on('close', () => process.exit());
});
