import { createContext, type ReactNode, useContext, useMemo } from 'react';
import { Provider, useQuery } from 'urql';

import { Result } from '../parts/Result';
import { clientOf } from './client';
import { graphql } from './generated';
import type { ViewerQuery } from './generated/graphql';

const VIEWER = graphql(`
  query Viewer {
    me {
      user { id name email }
      team { id name }
      teams { id name }
      permissions
      grants { permissions projectId environmentId }
    }
  }
`);

type Me = ViewerQuery['me'];

/** Who looks, in which team, and what they may do. */
export interface Viewer extends Me {
  /** Whether they may do something: in the team, or by a grant on a project or an environment of it. */
  may: (permission: string, projectId?: string, environmentId?: string) => boolean;
}

const Context = createContext<Viewer | undefined>(undefined);

/** The viewer of the page. */
export function useViewer(): Viewer {
  const viewer = useContext(Context);
  if (viewer === undefined) throw new Error('a page outside of a team');
  return viewer;
}

/** Everything below is in the name of a team; without one, of the first that the viewer is in. */
export function InTeam({ team, children }: { team: string | undefined; children: ReactNode }) {
  return (
    <Provider value={clientOf(team)}>
      <Known>{children}</Known>
    </Provider>
  );
}

function Known({ children }: { children: ReactNode }) {
  const [state, again] = useQuery({ query: VIEWER });
  return <Result state={state} again={() => again({ requestPolicy: 'network-only' })}>{({ me }) => <Given me={me}>{children}</Given>}</Result>;
}

function Given({ me, children }: { me: Me; children: ReactNode }) {
  const viewer = useMemo(() => ({ ...me, may: (...asked: Parameters<Viewer['may']>) => may(me, ...asked) }), [me]);
  return <Context.Provider value={viewer}>{children}</Context.Provider>;
}

/** Whether rights cover a permission on a project and environment. */
export function may(rights: Pick<Me, 'permissions' | 'grants'>, permission: string, projectId?: string, environmentId?: string): boolean {
  if (rights.permissions.includes(permission)) return true;
  return rights.grants.some((grant) =>
    grant.permissions.includes(permission) && projectId !== undefined && grant.projectId === projectId
    && (grant.environmentId === null || grant.environmentId === undefined || grant.environmentId === environmentId));
}

/** Words for what is missing; `undefined` when it is there. */
export function missing(viewer: Viewer, permission: string, projectId?: string, environmentId?: string): string | undefined {
  if (viewer.may(permission, projectId, environmentId)) return undefined;
  return `this takes the permission ${permission}; an owner or admin of ${viewer.team.name} can give it`;
}
