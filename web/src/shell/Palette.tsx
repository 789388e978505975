import { Dialog } from '@base-ui/react/dialog';
import { useNavigate } from '@tanstack/react-router';
import { type KeyboardEvent, useState } from 'react';
import { useQuery } from 'urql';

import { graphql } from '../api/generated';
import { useViewer } from '../api/viewer';
import { matching } from './matching';

const SLUGS = graphql(`query Slugs { projects(first: 50) { nodes { id slug } } }`);

/** Pages of a team that need no more than it. */
const PAGES = ['projects', 'approvals', 'clouds', 'alerts', 'jobs', 'members', 'keys', 'audit', 'new'] as const;

const TITLES: Record<(typeof PAGES)[number], string> = {
  projects: 'Projects', approvals: 'Approvals', clouds: 'Clouds', alerts: 'Alerts', jobs: 'Jobs', members: 'Members', keys: 'API keys', audit: 'Audit log', new: 'New project',
};

/** Goes anywhere by a few letters. */
export function Palette({ close }: { close: () => void }) {
  const { team } = useViewer();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const [{ data }] = useQuery({ query: SLUGS });
  const entries = [
    ...(data?.projects.nodes ?? []).map(({ slug }) => ({ title: slug, kind: 'project', path: `projects/${slug}` })),
    ...PAGES.map((page) => ({ title: TITLES[page], kind: 'page', path: page })),
  ];
  const found = matching(entries, text).slice(0, 12);
  const go = (path: string | undefined) => {
    if (path === undefined) return;
    close();
    void navigate({ to: `/teams/${team.id}/${path}` });
  };
  const keys = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === 'Enter') go(found[at]?.path);
    if (step === undefined || found.length === 0) return;
    event.preventDefault();
    setAt((at + step + found.length) % found.length);
  };
  return (
    <Dialog.Root open onOpenChange={(open) => { if (!open) close(); }}>
      <Dialog.Portal>
        <Dialog.Backdrop className="backdrop" />
        <Dialog.Popup className="popup">
          <Dialog.Title className="visually-hidden">Go to</Dialog.Title>
          <input role="combobox" aria-expanded="true" aria-controls="palette" aria-activedescendant={found.length > 0 ? `palette-${at}` : undefined} aria-label="Project or page" placeholder="Project or page"
            value={text} onChange={(event) => { setText(event.target.value); setAt(0); }} onKeyDown={keys} autoComplete="off" spellCheck={false} />
          <ul className="list" role="listbox" id="palette" aria-label="Found">
            {found.map((entry, index) => (
              // The keys of the field above choose among them.
              // eslint-disable-next-line jsx-a11y/click-events-have-key-events
              <li key={entry.path} id={`palette-${index}`} role="option" aria-selected={index === at} className={index === at ? 'chosen' : ''} onClick={() => go(entry.path)}>
                <span className="grow cut">{entry.title}</span><span className="small">{entry.kind}</span>
              </li>
            ))}
          </ul>
          {found.length === 0 && <p className="quiet">Nothing is called “{text}”.</p>}
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}
