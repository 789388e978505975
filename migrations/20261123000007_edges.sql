-- The machines that run workloads themselves, and what each of them observes and shows.
CREATE TABLE edges (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    -- Where other edges pass requests on to, such as 10.0.0.2:8081.
    address TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    stopped_at TIMESTAMPTZ
);

CREATE TABLE edge_observations (
    edge_id UUID NOT NULL REFERENCES edges (id) ON DELETE CASCADE,
    deployment_id UUID NOT NULL,
    observed JSONB NOT NULL,
    PRIMARY KEY (edge_id, deployment_id)
);
CREATE INDEX edge_observations_deployment ON edge_observations (deployment_id);

CREATE TABLE edge_routes (
    edge_id UUID NOT NULL REFERENCES edges (id) ON DELETE CASCADE,
    label TEXT NOT NULL,
    deployment_id UUID NOT NULL,
    PRIMARY KEY (edge_id, label)
);
CREATE INDEX edge_routes_label ON edge_routes (label);
