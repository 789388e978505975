-- With which name of its project a deployment's own address is made, where the project has another by now.
ALTER TABLE deployments ADD COLUMN address_name TEXT;
