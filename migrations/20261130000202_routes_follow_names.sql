-- Routes were left behind under the old name when a project was renamed, and changed only half of their owner when another project took that
-- name. What a route shows says whose it is.
UPDATE deployments SET address_name = (
    SELECT substr(w.desired ->> 'label', 1, length(w.desired ->> 'label') - 14) FROM local_workloads w WHERE w.deployment_id = deployments.id
) WHERE EXISTS (
    SELECT 1 FROM local_workloads w JOIN projects p ON p.id = w.project_id
    WHERE w.deployment_id = deployments.id AND w.desired ->> 'label' NOT LIKE p.name || '--____________'
);

UPDATE local_routes SET
    team_id = (SELECT d.team_id FROM deployments d WHERE d.id = local_routes.deployment_id),
    project_id = (SELECT d.project_id FROM deployments d WHERE d.id = local_routes.deployment_id),
    environment_id = (SELECT d.environment_id FROM deployments d WHERE d.id = local_routes.deployment_id)
WHERE EXISTS (SELECT 1 FROM deployments d WHERE d.id = local_routes.deployment_id AND d.environment_id <> local_routes.environment_id);

-- What is shown under no environment that there is, and what an environment showed before it had its present name.
DELETE FROM local_routes WHERE NOT EXISTS (SELECT 1 FROM environments e WHERE e.id = local_routes.environment_id);
DELETE FROM local_routes WHERE EXISTS (
    SELECT 1 FROM local_routes newer WHERE newer.environment_id = local_routes.environment_id
    AND (newer.changed_at > local_routes.changed_at OR (newer.changed_at = local_routes.changed_at AND newer.label > local_routes.label))
);

-- Names may have been swapped: through labels that no project has.
UPDATE local_routes SET label = '~' || label;
UPDATE local_routes SET label = (
    SELECT CASE WHEN e.name = 'production' THEN p.name ELSE p.name || '--' || e.name END
    FROM environments e JOIN projects p ON p.id = e.project_id WHERE e.id = local_routes.environment_id
);

-- The inventory lists each of them once, with its owner.
DELETE FROM resources WHERE cloud = 'local' AND kind = 'route';
INSERT INTO resources (id, team_id, project_id, deployment_id, environment_id, cloud, kind, external_id, created_at)
SELECT r.deployment_id, r.team_id, r.project_id, NULL, r.environment_id, 'local', 'route', r.label, r.changed_at FROM local_routes r;
