import { Link } from '@tanstack/react-router';
import { useEffect, useMemo, useState } from 'react';

import { follow } from '../api/follow';
import { useViewer } from '../api/viewer';
import { Lines } from '../log/lines';
import { Log } from '../log/Log';
import { Empty } from '../parts/Result';
import { DEPLOYMENT_LOGS } from './events';
import { useProject } from './Project';

/** What the programs say now: the log of the live deployment of an environment. */
export function Output() {
  const { project } = useProject();
  const [name, setName] = useState(project.environments.find((each) => each.liveDeployment)?.name ?? 'production');
  const environment = project.environments.find((each) => each.name === name);
  const live = environment?.liveDeployment;
  return (
    <div className="stack">
      <label className="row"><span>Environment</span>
        <select style={{ width: 'auto' }} value={name} onChange={(event) => setName(event.target.value)}>{project.environments.map((each) => <option key={each.id}>{each.name}</option>)}</select>
      </label>
      {live === null || live === undefined
        ? <Empty command={`mikrocloud deploy --project ${project.slug}`}>Nothing is live here, so nothing is said.</Empty>
        : <Said key={live.id} id={live.id} number={live.number} slug={project.slug} isStatic={live.kind === 'static'} />}
    </div>
  );
}

function Said({ id, number, slug, isStatic }: { id: string; number: number; slug: string; isStatic: boolean }) {
  const { team } = useViewer();
  const lines = useMemo(() => new Lines(), []);
  useEffect(
    () =>
      follow({
        team: team.id,
        document: DEPLOYMENT_LOGS,
        variables: { deploymentId: id },
        after: 0,
        item: ({ deploymentLogs }) => deploymentLogs,
        onItem: (line) => lines.add(line),
      }),
    [team.id, id, lines],
  );
  return (
    <>
      <p className="small">of <Link to="/teams/$team/deployments/$id" params={{ team: team.id, id }}>#{number}</Link>{isStatic && ', a static site: there is no program that says anything'}</p>
      <Log lines={lines} total={0} empty="Nothing was said yet." name={slug} hides={['SYSTEM', 'BUILD']} />
    </>
  );
}
