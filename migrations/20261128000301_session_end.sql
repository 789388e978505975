-- When a session ends however much it is used; NULL for one that lasts as long as it is used.
ALTER TABLE sessions ADD COLUMN ends_at TIMESTAMPTZ;

-- When the session ends from which a command line was let in: its key ends with it.
ALTER TABLE device_logins ADD COLUMN session_ends_at TIMESTAMPTZ;
