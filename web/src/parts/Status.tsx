import type { ReactNode } from 'react';

import type { DeploymentStatus } from '../api/generated/graphql';

type Kind = 'live' | 'working' | 'waiting' | 'failed' | 'idle';

const RING = <circle cx="6" cy="6" r="4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />;

const SHAPES: Record<DeploymentStatus | 'APPROVAL', [Kind, string, ReactNode]> = {
  QUEUED: ['working', 'Queued', RING],
  APPROVAL: ['waiting', 'Waits for approval', <>{RING}<path d="M4.75 4v4M7.25 4v4" stroke="currentColor" strokeWidth="1.25" /></>],
  BUILDING: ['working', 'Building', <path className="turns" d="M6 1.25a4.75 4.75 0 1 1-4.75 4.75" fill="none" stroke="currentColor" strokeWidth="1.5" />],
  RELEASING: ['working', 'Releasing', <>{RING}<path d="M6 8.5V4M4 6l2-2 2 2" fill="none" stroke="currentColor" strokeWidth="1.25" /></>],
  LIVE: ['live', 'Live', <circle cx="6" cy="6" r="5.5" fill="currentColor" />],
  SUPERSEDED: ['idle', 'Replaced', <><circle cx="6" cy="6" r="3.5" fill="none" stroke="currentColor" strokeWidth="1.25" /><circle cx="6" cy="6" r="1.25" fill="currentColor" /></>],
  FAILED: ['failed', 'Failed', <path d="M1 1h10v10H1zM3.5 3.5l5 5M8.5 3.5l-5 5" fill="none" stroke="currentColor" strokeWidth="1.25" />],
  CANCELLED: ['idle', 'Cancelled', <>{RING}<path d="M2.6 9.4l6.8-6.8" stroke="currentColor" strokeWidth="1.5" /></>],
};

/** State of a deployment: shape, word and colour, so that it is read without any one of them. */
export function Status({ status, waits = false, detail }: { status: DeploymentStatus; waits?: boolean; detail?: string | undefined }) {
  const [kind, word, shape] = SHAPES[waits && status === 'QUEUED' ? 'APPROVAL' : status];
  return (
    <span className={`status ${kind}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">{shape}</svg>
      {word}
      {detail !== undefined && `: ${detail}`}
    </span>
  );
}

/** Shape of a status for the icon of the browser's tab. */
export function iconOf(status: DeploymentStatus): string {
  const colour = { live: '#14663a', working: '#1a5bb8', waiting: '#7d5200', failed: '#b0241c', idle: '#565f6c' }[SHAPES[status][0]];
  const shape = status === 'FAILED' ? '<path d="M2 2h12v12H2z"/>' : '<circle cx="8" cy="8" r="6"/>';
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" fill="${colour}">${shape}</svg>`)}`;
}
