-- Why the last try to get a certificate failed, for who looks why their domain has none (docs/adr/0020).
ALTER TABLE acme_orders ADD COLUMN problem TEXT;
