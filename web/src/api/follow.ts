/** Numbered streams over one WebSocket per team. Each is resumed behind the last item that came, so that nothing is lost or doubled. */

import { stringifyDocument, type TypedDocumentNode } from '@urql/core';
import { type Client, createClient } from 'graphql-ws';

import { connectionHeaders } from './client';
import { SignedOut, signIn } from './session';

/** Shortest and longest pause before a lost connection is tried again, milliseconds. */
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15_000;

/** State of the connection: since when it is tried, `undefined` while all is well. */
export type Trying = number | undefined;

const sockets = new Map<string, Client>();
const listeners = new Set<() => void>();
const broken = new Map<symbol, number>();
let trying: Trying;

/** Calls back when the state of the connection changes. */
export function onConnection(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The state of the connection. */
export function connection(): Trying {
  return trying;
}

function note(stream: symbol, isBroken: boolean): void {
  if (isBroken && !broken.has(stream)) broken.set(stream, Date.now());
  if (!isBroken) broken.delete(stream);
  const now = broken.size === 0 ? undefined : Math.min(...broken.values());
  if (now === trying) return;
  trying = now;
  for (const listener of listeners) listener();
}

function socketOf(team: string): Client {
  let socket = sockets.get(team);
  if (socket === undefined) {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    socket = createClient({
      url: `${scheme}://${location.host}/graphql/ws`,
      connectionParams: () => connectionHeaders(team),
      // Streams resume by themselves, behind what they have; the library would begin anew.
      retryAttempts: 0,
      lazyCloseTimeout: 2_000,
    });
    sockets.set(team, socket);
  }
  return socket;
}

/** Something numbered. */
interface Numbered {
  number: number;
}

/** What to follow. */
export interface Followed<Data, Item extends Numbered> {
  team: string;
  document: TypedDocumentNode<Data, never>;
  variables: Record<string, unknown>;
  /** Number of the last item that is known already. */
  after: number;
  item: (data: Data) => Item;
  onItem: (item: Item) => void;
}

/** Follows a stream until the returned function is called. */
export function follow<Data, Item extends Numbered>(followed: Followed<Data, Item>): () => void {
  const { team, document, variables, item, onItem } = followed;
  const query = stringifyDocument(document);
  const stream = Symbol();
  let last = followed.after;
  let pause = FIRST_PAUSE;
  let stopped = false;
  let stop = () => {};
  let timer: ReturnType<typeof setTimeout> | undefined;
  let wake = () => {};

  const again = () => {
    if (stopped) return;
    note(stream, true);
    const wait = pause * (0.75 + Math.random() / 2);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
    wake = () => {
      clearTimeout(timer);
      wake = () => {};
      begin();
    };
    timer = setTimeout(wake, wait);
  };

  const begin = () => {
    stop = socketOf(team).subscribe<Data>(
      { query, variables: { ...variables, after: last } },
      {
        next: ({ data, errors }) => {
          if (errors !== undefined || data === null || data === undefined) return;
          pause = FIRST_PAUSE;
          note(stream, false);
          const next = item(data);
          if (next.number <= last) return;
          last = next.number;
          onItem(next);
        },
        error: (error) => {
          if (error instanceof SignedOut) signIn();
          else again();
        },
        complete: again,
      },
    );
  };

  const atOnce = () => {
    if (globalThis.document.visibilityState === 'visible') wake();
  };
  window.addEventListener('online', atOnce);
  window.addEventListener('visibilitychange', atOnce);
  // A quiet stream says nothing: that the socket stands is enough.
  const unlisten = socketOf(team).on('connected', () => {
    pause = FIRST_PAUSE;
    note(stream, false);
  });
  begin();
  return () => {
    stopped = true;
    unlisten();
    clearTimeout(timer);
    stop();
    note(stream, false);
    window.removeEventListener('online', atOnce);
    window.removeEventListener('visibilitychange', atOnce);
  };
}
