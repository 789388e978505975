-- Entries are never changed, and deleted only once the chain says that it begins after them; it begins only where a checkpoint was signed.
CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only: % on % is refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION audit_keep_entry() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_chains c WHERE c.team_id = OLD.team_id AND OLD.sequence < c.first_sequence) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: this entry is kept' USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION audit_keep_checkpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM audit_chains c WHERE c.team_id = OLD.team_id AND OLD.sequence < c.first_sequence - 1) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only: this checkpoint is kept' USING ERRCODE = 'restrict_violation';
END $$;

CREATE OR REPLACE FUNCTION audit_only_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.team_id <> OLD.team_id OR NEW.last_sequence < OLD.last_sequence OR NEW.first_sequence < OLD.first_sequence
        OR (NEW.last_sequence = OLD.last_sequence AND NEW.last_hash <> OLD.last_hash)
        OR NEW.checkpoint_sequence < OLD.checkpoint_sequence
        OR (NEW.first_sequence > OLD.first_sequence AND NOT EXISTS (
            SELECT 1 FROM audit_checkpoints p WHERE p.team_id = NEW.team_id AND p.sequence = NEW.first_sequence - 1)) THEN
        RAISE EXCEPTION 'the audit log is append-only: a chain only grows, and begins after a checkpoint'
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER audit_entries_unchanged BEFORE UPDATE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_entries_kept BEFORE DELETE ON audit_entries FOR EACH ROW EXECUTE FUNCTION audit_keep_entry();
CREATE TRIGGER audit_entries_all BEFORE TRUNCATE ON audit_entries FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_checkpoints_unchanged BEFORE UPDATE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_checkpoints_kept BEFORE DELETE ON audit_checkpoints FOR EACH ROW EXECUTE FUNCTION audit_keep_checkpoint();
CREATE TRIGGER audit_checkpoints_all BEFORE TRUNCATE ON audit_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_chains_forward BEFORE UPDATE ON audit_chains FOR EACH ROW EXECUTE FUNCTION audit_only_forward();
CREATE TRIGGER audit_chains_kept BEFORE DELETE ON audit_chains FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_chains_all BEFORE TRUNCATE ON audit_chains FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();

CREATE TRIGGER audit_keys_kept BEFORE UPDATE OR DELETE ON audit_keys FOR EACH ROW EXECUTE FUNCTION audit_refuse();
CREATE TRIGGER audit_keys_all BEFORE TRUNCATE ON audit_keys FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse();
