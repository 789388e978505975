// A stub of the endpoints of GitHub that signing in uses; everybody who is sent here is signed in as the user that the last line of JSON on
// its standard input describes (`user`, `emails`). It checks what GitHub checks: client, code, redirect and PKCE verifier.
import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

let settings = {};
const codes = new Map();
const tokens = new Set();

function json(response, status, body) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function exchange(request, response) {
  let body = '';
  for await (const chunk of request) body += chunk;
  const form = new URLSearchParams(body);
  const asked = codes.get(form.get('code'));
  codes.delete(form.get('code'));
  const challenge = createHash('sha256').update(form.get('code_verifier') ?? '').digest('base64url');
  const isRight =
    asked && form.get('client_id') === 'mikrocloud' && form.get('client_secret') === 'not-so-secret' &&
    form.get('redirect_uri') === asked.get('redirect_uri') && challenge === asked.get('code_challenge');
  if (!isRight) return json(response, 200, { error: 'bad_verification_code' });
  const token = randomUUID();
  tokens.add(token);
  return json(response, 200, { access_token: token, token_type: 'bearer', scope: 'read:user,user:email' });
}

const server = createServer((request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  const isKnown = tokens.has((request.headers.authorization ?? '').replace('Bearer ', ''));
  if (url.pathname === '/login/oauth/authorize') {
    const code = randomUUID();
    codes.set(code, url.searchParams);
    const back = new URL(url.searchParams.get('redirect_uri'));
    back.search = new URLSearchParams({ code, state: url.searchParams.get('state') });
    return response.writeHead(302, { location: back.href }).end();
  }
  if (request.method === 'POST' && url.pathname === '/login/oauth/access_token') return exchange(request, response);
  if (url.pathname === '/api/user' && isKnown) return json(response, 200, settings.user);
  if (url.pathname === '/api/user/emails' && isKnown) return json(response, 200, settings.emails);
  return json(response, 404, { message: 'Not Found' });
});
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`);
  createInterface({ input: process.stdin })
    .on('line', (line) => {
      settings = JSON.parse(line);
      console.log('done');
    })
    .on('close', () => process.exit());
});
