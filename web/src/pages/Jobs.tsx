import { useState } from 'react';
import { useMutation, useQuery } from 'urql';

import { graphql } from '../api/generated';
import type { JobState } from '../api/generated/graphql';
import { refusal } from '../api/mutate';
import { missing, useViewer } from '../api/viewer';
import { Empty, Result, sentence } from '../parts/Result';
import { Time } from '../parts/Time';
import { useToast } from '../parts/Toast';

const JOBS = graphql(`
  query Jobs($state: JobState, $after: ID) {
    jobs(state: $state, first: 50, after: $after) {
      pageInfo { hasNextPage endCursor }
      nodes { id kind queue state attempts maxAttempts waitsFor lastError createdAt runAt finishedAt }
    }
  }
`);
const RETRY = graphql(`mutation RetryJob($id: ID!) { retryJob(input: { jobId: $id }) { job { id state } userErrors { message } } }`);
const DISCARD = graphql(`mutation DiscardJob($id: ID!) { discardJob(input: { jobId: $id }) { job { id state } userErrors { message } } }`);

const STATES: [JobState, string][] = [['DEAD', 'dead'], ['RUNNING', 'running'], ['PENDING', 'waiting'], ['DONE', 'done'], ['CANCELLED', 'cancelled']];

/** What the workers do: what is stuck first. */
export function Jobs() {
  const viewer = useViewer();
  const say = useToast();
  const [wanted, setWanted] = useState<JobState>('DEAD');
  const [after, setAfter] = useState<string | null>(null);
  const [state, again] = useQuery({ query: JOBS, variables: { state: wanted, after } });
  const look = () => again({ requestPolicy: 'network-only' });
  const [, retry] = useMutation(RETRY);
  const [, discard] = useMutation(DISCARD);
  const refused = missing(viewer, 'job-write');
  const act = async (done: Promise<Parameters<typeof refusal>[0]>, words: string) => {
    say(refusal(await done) ?? words);
    look();
  };
  return (
    <div className="stack">
      <h1>Jobs</h1>
      <div className="row" role="group" aria-label="State">
        {STATES.map(([each, word]) => <button key={each} type="button" className="button" aria-pressed={wanted === each} style={wanted === each ? { borderColor: 'var(--text)' } : {}} onClick={() => { setWanted(each); setAfter(null); }}>{word}</button>)}
        <button type="button" className="link" onClick={look}>Look again</button>
      </div>
      <Result state={state} again={look}>
        {({ jobs }) => jobs.nodes.length === 0 ? <Empty command="mikrocloud jobs">{wanted === 'DEAD' ? 'Nothing is dead: no job gave up.' : 'No jobs in this state.'}</Empty> : (
          <>
            <ul className="list">
              {jobs.nodes.map((job) => (
                <li key={job.id}>
                  <span className="grow stack" style={{ gap: 2, flexBasis: 320 }}>
                    <span><strong>{job.kind.replaceAll('_', ' ')}</strong> <span className="small">{job.queue} · {job.attempts} of {job.maxAttempts} attempts</span></span>
                    {job.lastError && <span className="problem">{sentence(job.lastError)}</span>}
                    {job.waitsFor && <span className="quiet">waits for {job.waitsFor}</span>}
                  </span>
                  <span className="small"><Time at={job.finishedAt ?? job.createdAt} /></span>
                  {job.state === 'DEAD' && (
                    <>
                      <button type="button" className="button" disabled={refused !== undefined} title={refused} onClick={() => void act(retry({ id: job.id }), 'It is tried again.')}>Retry</button>
                      <button type="button" className="button danger" disabled={refused !== undefined} title={refused} onClick={() => void act(discard({ id: job.id }), 'It was discarded.')}>Discard</button>
                    </>
                  )}
                </li>
              ))}
            </ul>
            {jobs.pageInfo.hasNextPage && <p><button type="button" className="button" onClick={() => setAfter(jobs.pageInfo.endCursor ?? null)}>Older</button></p>}
          </>
        )}
      </Result>
    </div>
  );
}
