/** Access to the API in the name of the session that the browser's cookie keeps. The token stays in memory. */

/** Share of a token's life after which it is renewed. */
const RENEW_AT = 0.8;

interface Token {
  value: string;
  renewAt: number;
}

let token: Token | undefined;
let renewing: Promise<Token> | undefined;

/** Nobody is signed in in this browser. */
export class SignedOut extends Error {
  constructor() {
    super('nobody is signed in');
  }
}

/** The token to show now; renewed when most of its life is over. */
export async function accessToken(): Promise<string> {
  if (token !== undefined && Date.now() < token.renewAt) return token.value;
  return (await renewed()).value;
}

/** A token that is newer than one that was refused. Requests at the same time share one. */
export async function anotherToken(refused: string): Promise<string> {
  if (token?.value === refused) token = undefined;
  return accessToken();
}

function renewed(): Promise<Token> {
  renewing ??= renew().finally(() => {
    renewing = undefined;
  });
  return renewing;
}

async function renew(): Promise<Token> {
  const answer = await fetch('/auth/access', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
    signal: AbortSignal.timeout(15_000),
  });
  if (answer.status === 204 || answer.status === 401) throw new SignedOut();
  if (!answer.ok) throw new Error(`the server did not renew the session (${answer.status})`);
  const body = (await answer.json()) as { access_token: string; expires_in: number };
  token = { value: body.access_token, renewAt: Date.now() + body.expires_in * 1000 * RENEW_AT };
  return token;
}

/** Goes to the sign-in page, which comes back here. */
export function signIn(): void {
  const next = encodeURIComponent(location.pathname + location.search + location.hash);
  location.assign(`/auth/sign-in?next=${next}`);
}

/** Ends the session of this browser. */
export async function signOut(): Promise<void> {
  await fetch('/auth/sign-out', { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' });
  token = undefined;
  location.assign('/auth/sign-in');
}
