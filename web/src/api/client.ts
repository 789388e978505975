/** The GraphQL API in the name of a team: queries and mutations over HTTP. */

import { cacheExchange, Client, type CombinedError, fetchExchange } from 'urql';

import { accessToken, anotherToken, SignedOut, signIn } from './session';

/** Header that names the team. */
const TEAM = 'x-mikrocloud-team';

const clients = new Map<string, Client>();

/** The client of a team; `undefined` before a team is known. */
export function clientOf(team: string | undefined): Client {
  const key = team ?? '';
  let client = clients.get(key);
  if (client === undefined) {
    client = new Client({
      url: '/graphql',
      preferGetMethod: false,
      exchanges: [cacheExchange, fetchExchange],
      requestPolicy: 'cache-and-network',
      fetch: (input, init) => authorized(team, input, init),
    });
    clients.set(key, client);
  }
  return client;
}

async function authorized(team: string | undefined, input: RequestInfo | URL, init: RequestInit = {}): Promise<Response> {
  const send = (token: string) => {
    const headers = new Headers(init.headers);
    headers.set('authorization', `Bearer ${token}`);
    if (team !== undefined) headers.set(TEAM, team);
    return fetch(input, { ...init, headers });
  };
  try {
    const token = await accessToken();
    const answer = await send(token);
    return answer.status === 401 ? await send(await anotherToken(token)) : answer;
  } catch (error) {
    if (error instanceof SignedOut) signIn();
    throw error;
  }
}

/** Headers of a connection that subscribes. */
export async function connectionHeaders(team: string): Promise<Record<string, string>> {
  return { Authorization: `Bearer ${await accessToken()}`, [TEAM]: team };
}

/** An error as people read it. */
export interface Told {
  message: string;
  code: string;
}

/** Words for a request that failed. */
export function told(error: CombinedError): Told {
  const first = error.graphQLErrors[0];
  if (first !== undefined) return { message: first.message, code: String(first.extensions['code'] ?? '') };
  const status = (error.response as Response | undefined)?.status;
  if (status === 429) return { message: 'This was asked too often. Wait a minute and try again.', code: 'RATE_LIMITED' };
  if (status === 503) return { message: 'The server has too much to do. Try again in a moment.', code: 'OVERLOADED' };
  return { message: 'The server does not answer. Check that MikroCloud runs and that this machine reaches it.', code: '' };
}
