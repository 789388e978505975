-- Entries are never changed, and deleted only once the chain says that it begins after them; it begins only where a checkpoint was signed.
CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: an entry is never changed');
END;
-- `INSERT OR REPLACE` deletes without a trigger.
CREATE TRIGGER audit_entries_once BEFORE INSERT ON audit_entries
WHEN EXISTS (SELECT 1 FROM audit_entries e WHERE e.team_id = NEW.team_id AND e.sequence = NEW.sequence) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: this entry is there already');
END;
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries
WHEN NOT EXISTS (SELECT 1 FROM audit_chains c WHERE c.team_id = OLD.team_id AND OLD.sequence < c.first_sequence) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: this entry is kept');
END;

CREATE TRIGGER audit_checkpoints_unchanged BEFORE UPDATE ON audit_checkpoints BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: a checkpoint is never changed');
END;
CREATE TRIGGER audit_checkpoints_once BEFORE INSERT ON audit_checkpoints
WHEN EXISTS (SELECT 1 FROM audit_checkpoints p WHERE p.team_id = NEW.team_id AND p.sequence = NEW.sequence) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: this checkpoint is there already');
END;
CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints
WHEN NOT EXISTS (SELECT 1 FROM audit_chains c WHERE c.team_id = OLD.team_id AND OLD.sequence < c.first_sequence - 1) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: this checkpoint is kept');
END;

CREATE TRIGGER audit_chains_forward BEFORE UPDATE ON audit_chains
WHEN NEW.team_id <> OLD.team_id OR NEW.last_sequence < OLD.last_sequence OR NEW.first_sequence < OLD.first_sequence
    OR (NEW.last_sequence = OLD.last_sequence AND NEW.last_hash <> OLD.last_hash)
    OR NEW.checkpoint_sequence < OLD.checkpoint_sequence
    OR (NEW.first_sequence > OLD.first_sequence AND NOT EXISTS (
        SELECT 1 FROM audit_checkpoints p WHERE p.team_id = NEW.team_id AND p.sequence = NEW.first_sequence - 1)) BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: a chain only grows, and begins after a checkpoint');
END;
CREATE TRIGGER audit_chains_once BEFORE INSERT ON audit_chains
WHEN EXISTS (SELECT 1 FROM audit_chains c WHERE c.team_id = NEW.team_id) BEGIN
    SELECT RAISE(IGNORE);
END;
CREATE TRIGGER audit_chains_kept BEFORE DELETE ON audit_chains BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: a chain is never deleted');
END;

CREATE TRIGGER audit_keys_unchanged BEFORE UPDATE ON audit_keys BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: a key is never changed');
END;
CREATE TRIGGER audit_keys_once BEFORE INSERT ON audit_keys
WHEN EXISTS (SELECT 1 FROM audit_keys k WHERE k.public_key = NEW.public_key) BEGIN
    SELECT RAISE(IGNORE);
END;
CREATE TRIGGER audit_keys_kept BEFORE DELETE ON audit_keys BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only: a key is never deleted');
END;
